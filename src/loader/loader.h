/*
 * From a file to a running image: ELF (static, static-PIE, dynamic with its interpreter) and #!
 * scripts.
 *
 *     loader_open(...)    resolves scripts, reads and checks headers, opens the interpreter:
 * everything that can fail while the old image still lives loader_map(...)     maps into an empty
 * space, builds the first stack (argv, envv, auxv) and sets the registers
 *
 * After loader_map() fails the process is killed with SIGKILL, as on Linux past the point of no
 * return.
 */
#pragma once
#include "base/base.h"
#include "kernel/task.h"

struct image; /* opaque: the files and headers of what will be mapped */

struct loader_args {
    int dirfd;
    const char *filename;
    unsigned walk_flags;
    char **argv, **envv;
};

/* -ENOENT, -EACCES, -ENOEXEC, -ELIBBAD, -E2BIG, -ELOOP ... `argv` may be replaced by a script's;
 * the image owns the new one. */
NODISCARD int loader_open(const struct loader_args *args, struct image **ret);
void image_free(struct image *image);
struct file *image_exe(struct image *image); /* borrowed: for /proc/PID/exe */
const char *image_comm(struct image *image); /* base name for TASK_COMM */
/* set-user-ID and set-group-ID of the executable (not of scripts), honoured by exec when the mount
 * allows. */
uint32_t image_mode(struct image *image, uint32_t *ret_uid, uint32_t *ret_gid);

NODISCARD int loader_map(struct image *image, struct mm *mm, struct context *ctx,
                         const struct cred *cred, bool secure);
