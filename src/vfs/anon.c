/*
 * Numbered names of files without a place in any tree. See anon.h.
 */
#include "vfs/anon.h"
#include <stdio.h>

#define FIRST_NUMBER 4096

int anon_file_numbered(const char *kind, uint32_t mode, const struct file_ops *ops,
                       void *private_data, uint32_t flags, struct file **ret)
{
    static _Atomic uint64_t next = FIRST_NUMBER;
    char name[64];
    uint64_t number = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
    snprintf(name, sizeof(name), "%s:[%llu]", kind, (unsigned long long)number);
    int err = file_new_anon(name, mode, ops, private_data, flags, ret);
    if (err == 0)
        (*ret)->inode->attr.ino = number;
    return err;
}
