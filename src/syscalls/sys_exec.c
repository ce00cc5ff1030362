/* execve(2) and execveat(2). */
#include "base/cleanup.h"
#include "kernel/task.h"
#include "loader/args.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/walk.h"
#include <fcntl.h>

static int64_t exec_at(int dirfd, uaddr_t path, uaddr_t argv, uaddr_t envv, unsigned walk_flags)
{
    static char empty[] = "";
    char *no_name[] = {empty, NULL};
    CLEANUP_PATH char *name = NULL;
    CLEANUP_FREE char **args = NULL;
    CLEANUP_FREE char **env = NULL;
    struct args_budget budget;
    args_budget_init(&budget);
    int err = user_path(path, &name);
    if (!err)
        err = args_from_user(argv, &budget, &args);
    if (!err)
        err = args_from_user(envv, &budget, &env);
    if (err)
        return err;
    const struct exec_args exec = {
        .dirfd = dirfd,
        .filename = name,
        .walk_flags = walk_flags,
        .argv = args[0] ? args : no_name, /* a program may rely on argv[0] being there */
        .envv = env,
    };
    return do_execve(&exec);
}

int64_t sys_execve(const uint64_t *a)
{
    return exec_at(AT_FDCWD, a[0], a[1], a[2], WALK_FOLLOW);
}

int64_t sys_execveat(const uint64_t *a)
{
    int flags = (int)a[4];
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    unsigned walk =
        (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    return exec_at((int)a[0], a[1], a[2], a[3], walk);
}
