/* Starts the VFS: tables and the hidden mount of anonymous files. */
#include "vfs/internal.h"
#include "vfs/vfs.h"

int vfs_init(void)
{
    int err = dcache_init();
    if (!err)
        err = mount_init();
    if (!err)
        err = file_anon_init();
    return err;
}
