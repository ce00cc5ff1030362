/* openat2: its checks, and where RESOLVE_ flags let a walk go. */
#include "check.h"
#include <linux/openat2.h>
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static int go(int dirfd, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {.flags = flags, .resolve = resolve};
    return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

int main(void)
{
    CHECK(mkdir("root", 0755) == 0 && mkdir("root/a", 0755) == 0 && symlink("/a", "root/abs") == 0);
    CHECK(symlink("../..", "root/a/out") == 0 && symlink("a", "root/in") == 0);
    make("root/a/f", "inside");
    make("outside", "out");
    int d = open("root", O_PATH | O_DIRECTORY);
    CHECK(d >= 0);
    CHECK(go(d, "a/f", O_RDONLY, RESOLVE_BENEATH) >= 0);
    CHECK(go(d, "in/f", O_RDONLY, RESOLVE_BENEATH) >= 0);
    CHECK(go(d, "a/../a/f", O_RDONLY, RESOLVE_BENEATH) >= 0);
    CHECK_ERR(go(d, "../outside", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(go(d, "/etc", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(go(d, "abs", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(go(d, "a/out", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK(go(d, "abs/f", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
    CHECK(go(d, "/a/f", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
    CHECK(go(d, "../../a/f", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
    CHECK(go(d, "a/out/a/f", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
    CHECK_ERR(go(d, "in", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK_ERR(go(d, "in/f", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK_ERR(go(AT_FDCWD, "/proc/self/fd/0", O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
    CHECK_ERR(go(AT_FDCWD, "/proc/self/stat", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
    CHECK_ERR(go(d, "a", O_RDONLY, 1ULL << 40), EINVAL);
    CHECK_ERR(go(d, "a", 1ULL << 40, 0), EINVAL);
    CHECK_ERR(go(d, "a", O_PATH | O_RDWR, 0), EINVAL);
    struct open_how mode = {.flags = O_RDONLY, .mode = 0644};
    CHECK_ERR((int)syscall(SYS_openat2, d, "a", &mode, sizeof mode), EINVAL);
    CHECK_ERR((int)syscall(SYS_openat2, d, "a", &mode, 8), EINVAL);
    struct {
        struct open_how how;
        uint64_t more;
    } big = {{.flags = O_RDONLY}, 0};
    CHECK((int)syscall(SYS_openat2, d, "a", &big, sizeof big) >= 0);
    big.more = 1;
    CHECK_ERR((int)syscall(SYS_openat2, d, "a", &big, sizeof big), E2BIG);
    return 0;
}
