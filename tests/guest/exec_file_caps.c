/* security.capability: what a file gives to who runs it, who may set it, and what takes it away. */
#include "each.h"
#include <linux/capability.h>
#include <linux/xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static struct vfs_cap_data caps(uint32_t permitted, int effective)
{
    struct vfs_cap_data d = {.magic_etc = VFS_CAP_REVISION_2 | (effective ? VFS_CAP_FLAGS_EFFECTIVE : 0)};
    d.data[0].permitted = permitted;
    return d;
}

static void copy_self(const char *to)
{
    char buf[65536];
    ssize_t n;
    int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    while ((n = read(in, buf, sizeof(buf))) > 0)
        CHECK(write(out, buf, (size_t)n) == n);
    close(in);
    CHECK(close(out) == 0);
}

static uint64_t effective(void)
{
    struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct d[2];
    CHECK(syscall(SYS_capget, &h, d) == 0);
    return d[0].effective | (uint64_t)d[1].effective << 32;
}

static int run_as_user(const char *path, const char *want)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setgid(65533) == 0 && setuid(65533) == 0);
        execl(path, path, want, NULL);
        _exit(errno == EPERM ? 77 : 78);
    }
    int status = wait_for(pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return effective() == strtoull(argv[1], NULL, 16) ? 0 : 1;
    char want[32];
    sprintf(want, "%x", 1u << CAP_NET_RAW);
    chmod(".", 0755);
    copy_self("prog");
    IS(run_as_user("./prog", "0"), 0);
    struct vfs_cap_data d = caps(1u << CAP_NET_RAW, 1), got;
    FAILS(setxattr("prog", XATTR_NAME_CAPS, &d, 12, 0), EINVAL);
    FAILS(setxattr("prog", XATTR_NAME_CAPS, "nonsense nonsense nons", 20, 0), EINVAL);
    IS(setxattr("prog", XATTR_NAME_CAPS, &d, sizeof(d), 0), 0);
    IS(getxattr("prog", XATTR_NAME_CAPS, &got, sizeof(got)), sizeof(got));
    IS(memcmp(&d, &got, sizeof(d)), 0);
    IS(run_as_user("./prog", want), 0);
    d = caps(1u << CAP_NET_RAW, 0); /* permitted only */
    IS(setxattr("prog", XATTR_NAME_CAPS, &d, sizeof(d), 0), 0);
    IS(run_as_user("./prog", "0"), 0);
    d = caps(1u << CAP_NET_RAW, 1);
    IS(setxattr("prog", XATTR_NAME_CAPS, &d, sizeof(d), 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setuid(65533) == 0);
        FAILS(setxattr("prog", XATTR_NAME_CAPS, &d, sizeof(d), 0), EPERM);
        FAILS(removexattr("prog", XATTR_NAME_CAPS), EPERM);
        _exit(each_failed());
    }
    exits_with(pid, 0);
    int fd = open("prog", O_WRONLY | O_APPEND);
    IS(write(fd, "x", 1), 1);
    close(fd);
    FAILS(getxattr("prog", XATTR_NAME_CAPS, &got, sizeof(got)), ENODATA);
    IS(run_as_user("./prog", "0"), 0);
    IS(setxattr("prog", XATTR_NAME_CAPS, &d, sizeof(d), 0), 0);
    IS(chown("prog", 1, 1), 0);
    FAILS(getxattr("prog", XATTR_NAME_CAPS, &got, sizeof(got)), ENODATA);
    return each_failed();
}
