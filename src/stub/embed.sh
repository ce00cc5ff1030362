#!/bin/sh
# embed.sh STUB OUTPUT.S: an assembler file that carries the stub's bytes, as stub_image to stub_image_end.
set -e
objcopy --strip-debug "$1" "$2.elf"
cat > "$2" <<END
    .section .rodata
    .globl stub_image, stub_image_end
    .balign 16
stub_image:
    .incbin "$2.elf"
stub_image_end:
    .section .note.GNU-stack, "", @progbits
END
