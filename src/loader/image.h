/* Private to the loader: an image between loader_open() and loader_map(). */
#pragma once
#include "kernel/task.h"
#include "loader/elf.h"
#include "loader/loader.h"

struct image {
    struct file *exe;         /* reference: the ELF file, a script's interpreter */
    struct file *interp_file; /* reference, or NULL: no dynamic linker */
    struct elf elf, interp;
    char *execfn;        /* owned: AT_EXECFN, what was asked for */
    char **argv, **envv; /* argv: owned if it is a script's; else borrowed as envv is */
    bool argv_owned;
    bool is_script;
};

/* Where things ended up, for the auxiliary vector. */
struct placed {
    uaddr_t bias, entry;        /* of the program */
    uaddr_t interp_base, start; /* the dynamic linker's base (0: none), and the first instruction */
};

/* Maps program and dynamic linker, and notes in mm where they are. */
NODISCARD int image_map_segments(struct image *image, struct mm *mm, struct context *ctx,
                                 struct placed *ret);
/* Maps and fills the first stack: the stack pointer. */
NODISCARD int image_build_stack(struct image *image, struct mm *mm, struct context *ctx,
                                const struct cred *cred, bool secure, const struct placed *placed,
                                uaddr_t *ret_sp);
