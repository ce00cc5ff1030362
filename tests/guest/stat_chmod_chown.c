/* chmod and chown: bits, set-id clearing, links, descriptors. */
#include "check.h"
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static unsigned mode_of(const char *name)
{
    struct stat st;
    CHECK(stat(name, &st) == 0);
    return st.st_mode & 07777;
}

int main(void)
{
    struct stat st;
    make("f", "x");
    CHECK(chmod("f", 0751) == 0 && mode_of("f") == 0751);
    int fd = open("f", O_RDWR);
    CHECK(fchmod(fd, 0640) == 0 && mode_of("f") == 0640 && fchmodat(AT_FDCWD, "f", 0604, 0) == 0 &&
          mode_of("f") == 0604);
    CHECK_ERR(chmod("absent", 0600), ENOENT);
    CHECK(mkdir("d", 0755) == 0 && symlink("f", "l") == 0 && chmod("l", 0600) == 0 &&
          mode_of("f") == 0600);
    if (geteuid() != 0)
        return 0;
    CHECK(chown("f", 11, 12) == 0 && stat("f", &st) == 0 && st.st_uid == 11 && st.st_gid == 12);
    CHECK(chown("f", -1, 13) == 0 && stat("f", &st) == 0 && st.st_uid == 11 && st.st_gid == 13);
    CHECK(lchown("l", 21, 22) == 0 && lstat("l", &st) == 0 && st.st_uid == 21 &&
          stat("f", &st) == 0 && st.st_uid == 11);
    CHECK(fchownat(AT_FDCWD, "l", 31, -1, AT_SYMLINK_NOFOLLOW) == 0 && lstat("l", &st) == 0 &&
          st.st_uid == 31);
    CHECK(fchown(fd, 0, 0) == 0 && chmod("f", 06755) == 0 && chown("f", 1, 1) == 0 &&
          mode_of("f") == 0755);
    CHECK(chmod("f", 02644) == 0 && chown("f", 0, 0) == 0 && mode_of("f") == 02644);
    CHECK(chmod("d", 06755) == 0 && chown("d", 1, 1) == 0 && mode_of("d") == 06755);
    CHECK(chmod("f", 06755) == 0 && write(fd, "y", 1) == 1 &&
          mode_of("f") == 06755); /* with CAP_FSETID */
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(chown("f", 4000, 4000) == 0 && chmod("f", 06755) == 0);
        CHECK(chmod(".", 0777) == 0 && setgid(4000) == 0 && setuid(4000) == 0);
        CHECK_ERR(chown("f", 0, -1), EPERM);
        CHECK_ERR(chown("f", -1, 0), EPERM);
        CHECK(chmod("f", 06755) == 0);
        int w = open("f", O_WRONLY);
        CHECK(w >= 0 && write(w, "z", 1) == 1 && mode_of("f") == 0755);
        CHECK_ERR(chmod("d", 0700), EPERM);
        _exit(0);
    }
    exits_with(pid, 0);
    return 0;
}
