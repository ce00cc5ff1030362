/* Options of tmpfs, proc and devpts, at mount and at remount; read-only against open files. */
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static void test_tmpfs(void)
{
    struct stat st;
    struct statfs fs;
    CHECK(mount("t", "a", "tmpfs", 0, "size=1m,mode=700,nr_inodes=10,uid=7,gid=5") == 0);
    CHECK(stat("a", &st) == 0 && (st.st_mode & 07777) == 0700 && st.st_uid == 7 && st.st_gid == 5);
    CHECK(statfs("a", &fs) == 0 && fs.f_blocks == 256 && fs.f_files == 10);
    CHECK(mount(NULL, "a", NULL, MS_REMOUNT, "size=64k,nr_inodes=20") == 0);
    CHECK(statfs("a", &fs) == 0 && fs.f_blocks == 16 && fs.f_files == 20);
    CHECK_ERR(mount(NULL, "a", NULL, MS_REMOUNT, "nonsense=1"), EINVAL);
    int fd = open("a/f", O_CREAT | O_RDWR, 0644);
    char page[4096] = {1};
    for (int i = 0; i < 8; i++)
        CHECK(write(fd, page, sizeof(page)) == sizeof(page));
    CHECK_ERR(mount(NULL, "a", NULL, MS_REMOUNT, "size=4k"), EINVAL);
    CHECK_ERR(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
    CHECK_ERR(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EBUSY);
    close(fd);
    CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    CHECK_ERR(mkdir("a/d", 0755), EROFS);
    CHECK(mount(NULL, "a", NULL, MS_REMOUNT, NULL) == 0 && mkdir("a/d", 0755) == 0);
    CHECK(umount("a") == 0);
    CHECK_ERR(mount("t", "a", "tmpfs", 0, "size=foo"), EINVAL);
    CHECK_ERR(mount("t", "a", "tmpfs", 0, "mode=999"), EINVAL);
    CHECK_ERR(mount("t", "a", "tmpfs", 0, "uid=-1"), EINVAL);
}

static int look(const char *proc, int hide)
{
    char own[64], other[64];
    CHECK(setresgid(1, 1, 1) == 0 && setresuid(1, 1, 1) == 0);
    snprintf(own, sizeof(own), "%s/self/status", proc);
    snprintf(other, sizeof(other), "%s/%d/status", proc, getppid());
    CHECK(access(own, R_OK) == 0);
    if (hide == 0)
        CHECK(access(other, R_OK) == 0);
    else if (hide == 1)
        CHECK_ERR(access(other, R_OK), EPERM);
    else
        CHECK_ERR(access(other, R_OK), ENOENT);
    return 0;
}

static void test_proc(void)
{
    static const char *const options[] = {"hidepid=0", "hidepid=1", "hidepid=invisible"};
    for (int i = 0; i < 3; i++) {
        CHECK(mount("p", "a", "proc", 0, options[i]) == 0);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            _exit(look("a", i));
        exits_with(pid, 0);
        CHECK(umount("a") == 0);
    }
    CHECK_ERR(mount("p", "a", "proc", 0, "hidepid=9"), EINVAL);
    CHECK_ERR(mount("p", "a", "proc", 0, "nonsense"), EINVAL);
    CHECK(mount("p", "a", "proc", 0, "subset=pid") == 0);
    CHECK(access("a/self/status", F_OK) == 0);
    CHECK_ERR(access("a/meminfo", F_OK), ENOENT);
    CHECK_ERR(access("a/sys", F_OK), ENOENT);
    CHECK(umount("a") == 0);
}

static void test_devpts(void)
{
    struct stat st;
    CHECK(mount("d", "a", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620,gid=5") == 0);
    CHECK(stat("a/ptmx", &st) == 0 && st.st_mode == (S_IFCHR | 0666));
    CHECK(umount("a") == 0);
    CHECK_ERR(mount("d", "a", "devpts", 0, "nonsense"), EINVAL);
}

int main(void)
{
    char dir[] = "/tmp/options.XXXXXX";
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mkdtemp(dir) && chmod(dir, 0755) == 0 && chdir(dir) == 0 && mkdir("a", 0755) == 0);
    test_tmpfs();
    test_proc();
    test_devpts();
    CHECK(rmdir("a") == 0 && rmdir(dir) == 0);
    return 0;
}
