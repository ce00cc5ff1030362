#!/bin/sh
# needs: gcc make libc6-dev binutils
# timeout: 240
# Builds and runs a C project of 50 files with make -j2, changes one, builds again.
W=$(mktemp -d)
cd "$W" || exit 1
i=0
while [ $i -lt 50 ]; do
    printf '#include <stdio.h>\n#include <string.h>\n#include <stdlib.h>\nint f%d(int x)\n{\n    char b[64];\n    snprintf(b, 64, "%%d", x + %d);\n    return atoi(b) + (int)strlen(b);\n}\n' $i $i > f$i.c
    printf 'int f%d(int x);\n' $i >> all.h
    printf '    s += f%d(s);\n' $i >> calls
    i=$((i + 1))
done
{ echo '#include "all.h"'; echo '#include <stdio.h>'; echo 'int main(void) { int s = 1;'; cat calls; printf '%s\n' 'printf("%d\n", s); return s & 127; }'; } > main.c
printf 'O := $(patsubst %%.c,%%.o,$(wildcard *.c))\nprog: $O\n\tgcc -o $@ $O\n%%.o: %%.c all.h\n\tgcc -O1 -fwrapv -c -o $@ $<\n' > Makefile
make -s -j2 && ./prog
echo "status $?"
make -s -q && echo up to date
sleep 1
touch f7.c
make -n | grep -c gcc
make -s -j2 && ./prog > out
cat out
gcc -static -O2 -fwrapv -o st main.c f*.c && ./st
gcc -g -fPIC -fwrapv -shared -o libf.so f*.c && gcc -fwrapv -o dyn main.c -L. -lf -Wl,-rpath,"$W" && ./dyn
ar rcs libf.a f*.o && gcc -o arch main.o libf.a && ./arch
echo 'int main(void) { return undefined_function(); }' > bad.c
gcc -w bad.c -o bad 2>/dev/null
echo "status $?"
nm -C prog | grep -c ' T f'
objdump -d prog | grep -c '<f[0-9]*>:'
cd / && rm -rf "$W"
