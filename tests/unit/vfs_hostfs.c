/*
 * hostfs against tmpfs: the same random operations on a directory of the host and in memory give the
 * same results and the same trees; once as an exclusive tree, whose caches must then be right, once as
 * a shared one.
 */
#include "fs/hostfs/hostfs.h"
#include "vfs_trees.h"
#include <dirent.h>
#include <ftw.h>

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

static int count_fds(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    check(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void unmount(const char *path)
{
    struct path at;
    check(path_lookup(AT_FDCWD, path, 0, &at) == 0);
    check(do_umount(&at, 2) == 0); /* MNT_DETACH; takes the reference */
    check(vfs_rmdir_at(AT_FDCWD, path) == 0);
}

static void one_run(unsigned flags, unsigned rounds)
{
    char top[] = "/tmp/picket-hostfs.XXXXXX";
    struct super_block *host, *plain;
    int before = count_fds();
    check(mkdtemp(top) && chmod(top, 0755) == 0);
    int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
    check(fd >= 0 && hostfs_new(fd, flags, "test", &host) == 0);
    check(tmpfs_new("plain", &(struct tmpfs_options){.mode = 0755}, &plain) == 0);
    check(vfs_mkdir_at(AT_FDCWD, "/x", 0755) == 0 && vfs_mkdir_at(AT_FDCWD, "/y", 0755) == 0);
    mount_on(host, "/x");
    mount_on(plain, "/y");
    fill("/x");
    fill("/y");
    run_both("/x", "/y", rounds);
    unmount("/x");
    unmount("/y");
    dcache_shrink();
    check(count_fds() == before);
    check(nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void body(void)
{
    for (unsigned i = 0; i < 10; i++) {
        one_run(0, 300);
        one_run(HOSTFS_EXCLUSIVE, 300);
    }
}

int main(void)
{
    return run_vfs_test(body);
}
