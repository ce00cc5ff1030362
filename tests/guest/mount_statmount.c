/* statmount, listmount, STATX_MNT_ID_UNIQUE; file handles; quotactl's refusals. */
#include "check.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/stat.h>

#define SYS_STATMOUNT 457
#define SYS_LISTMOUNT 458
#define UNIQUE 0x4000u

struct req {
    uint32_t size, spare;
    uint64_t mnt_id, param, mnt_ns_id;
};

struct result {
    uint32_t size, mnt_opts;
    uint64_t mask;
    uint32_t major, minor;
    uint64_t magic;
    uint32_t sb_flags, fs_type;
    uint64_t id, parent;
    uint32_t old_id, old_parent;
    uint64_t attr, propagation, group, master, from;
    uint32_t root, point;
    uint64_t ns_id;
    uint32_t subtype, source;
    uint64_t spare[48];
    char str[4096];
};

static uint64_t id_of(const char *path)
{
    struct statx st;
    CHECK(statx(AT_FDCWD, path, 0, UNIQUE, &st) == 0);
    if (!(st.stx_mask & UNIQUE))
        _exit(0); /* an older kernel */
    return st.stx_mnt_id;
}

static long stat_mount(uint64_t id, uint64_t what, struct result *ret, size_t size)
{
    struct req req = {.size = 24, .mnt_id = id, .param = what};
    memset(ret, 0xff, sizeof(*ret));
    return syscall(SYS_STATMOUNT, &req, ret, size, 0);
}

static void test_statmount(void)
{
    struct result r;
    struct statx st;
    uint64_t a = id_of("a"), top = id_of(".");
    CHECK(stat_mount(a, 3, &r, sizeof(r)) == 0);
    CHECK((r.mask & 3) == 3 && r.id == a && r.parent == top && r.magic == 0x01021994);
    CHECK(statx(AT_FDCWD, "a", 0, STATX_MNT_ID, &st) == 0 && st.stx_mnt_id == r.old_id && r.id > UINT32_MAX / 2);
    CHECK(r.major == st.stx_dev_major && r.minor == st.stx_dev_minor && r.propagation == MS_PRIVATE);
    CHECK(r.attr == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME));
    CHECK(stat_mount(a, 0x38, &r, sizeof(r)) == 0 && (r.mask & 0x38) == 0x38);
    CHECK(strcmp(r.str + r.fs_type, "tmpfs") == 0 && strcmp(r.str + r.root, "/") == 0);
    const char *slash = strrchr(r.str + r.point, '/');
    CHECK(slash && strcmp(slash, "/a") == 0);
    CHECK_ERR(stat_mount(a, 0x38, &r, 512), EOVERFLOW);
    CHECK_ERR(stat_mount(1, 3, &r, sizeof(r)), EINVAL);
    CHECK_ERR(stat_mount(1ULL << 40, 3, &r, sizeof(r)), ENOENT);
    struct req req = {.size = 8, .mnt_id = a, .param = 3};
    CHECK_ERR(syscall(SYS_STATMOUNT, &req, &r, sizeof(r), 0), EINVAL);
    req.size = 24;
    CHECK_ERR(syscall(SYS_STATMOUNT, &req, &r, sizeof(r), 0x100), EINVAL);
    CHECK_ERR(syscall(SYS_STATMOUNT, NULL, &r, sizeof(r), 0), EFAULT);
}

static void test_listmount(void)
{
    uint64_t ids[8], a = id_of("a"), b = id_of("a/b"), top = id_of(".");
    struct req req = {.size = 24, .mnt_id = top};
    CHECK(syscall(SYS_LISTMOUNT, &req, ids, 8, 0) == 2 && ids[0] == a && ids[1] == b);
    CHECK(syscall(SYS_LISTMOUNT, &req, ids, 1, 0) == 1 && ids[0] == a);
    req.param = a;
    CHECK(syscall(SYS_LISTMOUNT, &req, ids, 8, 0) == 1 && ids[0] == b);
    req.param = 0;
    req.mnt_id = b;
    CHECK(syscall(SYS_LISTMOUNT, &req, ids, 8, 0) == 0);
    req.mnt_id = 1ULL << 40;
    CHECK_ERR(syscall(SYS_LISTMOUNT, &req, ids, 8, 0), ENOENT);
    req.mnt_id = top;
    CHECK_ERR(syscall(SYS_LISTMOUNT, &req, ids, 8, 0x80), EINVAL);
    CHECK_ERR(syscall(SYS_LISTMOUNT, &req, NULL, 8, 0), EFAULT);
}

static void test_handles(void)
{
    struct {
        struct file_handle head;
        unsigned char bytes[128];
    } h = {.head = {.handle_bytes = 0}};
    int mount_id;
    char buf[8] = {0};
    int fd = open("a/file", O_CREAT | O_RDWR, 0600), dir = open("a", O_RDONLY);
    CHECK(fd >= 0 && dir >= 0 && write(fd, "text", 4) == 4 && close(fd) == 0);
    CHECK_ERR(name_to_handle_at(AT_FDCWD, "a/file", &h.head, &mount_id, 0), EOVERFLOW);
    CHECK(h.head.handle_bytes > 0 && h.head.handle_bytes <= 128);
    CHECK(name_to_handle_at(AT_FDCWD, "a/file", &h.head, &mount_id, 0) == 0);
    struct statx st;
    CHECK(statx(AT_FDCWD, "a", 0, STATX_MNT_ID, &st) == 0 && (uint64_t)mount_id == st.stx_mnt_id);
    fd = open_by_handle_at(dir, &h.head, O_RDONLY);
    CHECK(fd >= 0 && read(fd, buf, sizeof(buf)) == 4 && strcmp(buf, "text") == 0 && close(fd) == 0);
    CHECK_ERR(open_by_handle_at(999, &h.head, O_RDONLY), EBADF);
    CHECK_ERR(name_to_handle_at(AT_FDCWD, "a/file", &h.head, &mount_id, 0x8000), EINVAL);
    CHECK_ERR(name_to_handle_at(AT_FDCWD, "a/absent", &h.head, &mount_id, 0), ENOENT);
    unsigned bytes = h.head.handle_bytes;
    h.head.handle_bytes = 1000;
    CHECK_ERR(name_to_handle_at(AT_FDCWD, "a/file", &h.head, &mount_id, 0), EINVAL);
    CHECK_ERR(open_by_handle_at(dir, &h.head, O_RDONLY), EINVAL);
    h.head.handle_bytes = 0;
    CHECK_ERR(open_by_handle_at(dir, &h.head, O_RDONLY), EINVAL);
    h.head.handle_bytes = bytes;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(setresuid(1, 1, 1) == 0);
        CHECK_ERR(open_by_handle_at(dir, &h.head, O_RDONLY), EPERM);
        _exit(0);
    }
    exits_with(pid, 0);
    CHECK(unlink("a/file") == 0);
    CHECK_ERR(open_by_handle_at(dir, &h.head, O_RDONLY), ESTALE);
    close(dir);
}

static void test_quota(void)
{
    char buf[128];
    CHECK_ERR(quotactl(QCMD(Q_GETQUOTA, 7), "/dev/null", 0, buf), EINVAL);
    CHECK_ERR(quotactl(QCMD(Q_GETQUOTA, USRQUOTA), "/dev/null", 0, buf), ENOTBLK);
    CHECK_ERR(quotactl(QCMD(Q_GETQUOTA, USRQUOTA), "/dev/absent", 0, buf), ENOENT);
}

int main(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mkdir("top", 0755) == 0 && mount("top", "top", "tmpfs", 0, NULL) == 0 && chdir("top") == 0);
    CHECK(mkdir("a", 0755) == 0 && mount("t", "a", "tmpfs", MS_NOSUID | MS_NOATIME, NULL) == 0);
    CHECK(mkdir("a/b", 0755) == 0 && mount("t", "a/b", "tmpfs", 0, NULL) == 0);
    test_handles();
    test_quota();
    test_statmount();
    test_listmount();
    return 0;
}
