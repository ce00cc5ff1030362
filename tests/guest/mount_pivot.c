/* pivot_root and chroot: a new root, the old one below it and then gone. */
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

int main(void)
{
    struct stat st;
    char buf[64];
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mkdir("new", 0755) == 0 && mount("root", "new", "tmpfs", 0, NULL) == 0);
    CHECK(mkdir("new/old", 0755) == 0 && mkdir("new/jail", 0755) == 0 &&
          mkdir("new/jail/in", 0755) == 0);
    CHECK(chdir("new") == 0);
    CHECK_ERR((int)syscall(SYS_pivot_root, ".", "jail/in/absent"), ENOENT);
    CHECK_ERR((int)syscall(SYS_pivot_root, "jail", "jail/in"), EINVAL);
    CHECK((int)syscall(SYS_pivot_root, ".", "old") == 0 && chdir("/") == 0);
    CHECK(stat("/old/etc", &st) == 0 && stat("/jail", &st) == 0);
    CHECK(umount2("/old", MNT_DETACH) == 0);
    CHECK_ERR(stat("/old/etc", &st), ENOENT);
    CHECK_ERR(stat("/etc", &st), ENOENT);
    CHECK(chroot("/jail") == 0 && chdir("/") == 0 && stat("/in", &st) == 0);
    CHECK_ERR(stat("/jail", &st), ENOENT);
    CHECK(stat("/../../in", &st) == 0 && getcwd(buf, sizeof buf) && !strcmp(buf, "/"));
    return 0;
}
