/* /proc/PID/fd and fdinfo: the links, their modes, opening anew, the directory's content. */
#include "synth.h"
#include <dirent.h>
#include <sys/stat.h>

static char *link_text(int fd)
{
    static char text[4096];
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, text, sizeof(text) - 1);
    CHECK(n > 0);
    text[n] = 0;
    return text;
}

static int link_mode(int fd)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 64);
    return st.st_mode & 07777;
}

int main(void)
{
    char cwd[4096], want[4200], path[64], buf[16];
    int p[2];
    CHECK(getcwd(cwd, sizeof(cwd)));
    int fd = open("file", O_CREAT | O_RDWR | O_APPEND, 0600);
    CHECK(fd >= 0 && write(fd, "12345", 5) == 5);
    snprintf(want, sizeof(want), "%s/file", cwd);
    CHECK(strcmp(link_text(fd), want) == 0 && link_mode(fd) == 0700);
    int ro = open("file", O_RDONLY | O_CLOEXEC), wo = open("file", O_WRONLY);
    CHECK(link_mode(ro) == 0500 && link_mode(wo) == 0300);
    CHECK(pipe(p) == 0 && strncmp(link_text(p[0]), "pipe:[", 6) == 0);

    /* a new open file: its own position */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0 && read(again, buf, sizeof(buf)) == 5 && memcmp(buf, "12345", 5) == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
    int writer = open(path, O_WRONLY);
    CHECK(writer >= 0 && write(writer, "w", 1) == 1 && read(p[0], buf, 1) == 1);

    CHECK(unlink("file") == 0);
    snprintf(want, sizeof(want), "%s/file (deleted)", cwd);
    CHECK(strcmp(link_text(fd), want) == 0);
    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    again = open(path, O_RDONLY);
    CHECK(again >= 0 && read(again, buf, sizeof(buf)) == 5);

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    char *text = slurp(path);
    CHECK(number(text, "pos:\t") == 5 && field(text, "mnt_id:\t") && field(text, "ino:\t"));
    unsigned flags = (unsigned)strtoul(field(text, "flags:\t"), NULL, 8);
    CHECK((flags & (O_ACCMODE | O_APPEND | O_CLOEXEC)) == (O_RDWR | O_APPEND));
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ro);
    CHECK(strtoul(field(slurp(path), "flags:\t"), NULL, 8) & O_CLOEXEC);

    DIR *d = opendir("/proc/self/fd");
    int seen = 0, self_seen = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        CHECK(e->d_type == DT_LNK);
        int n = atoi(e->d_name);
        seen += n == fd || n == ro || n == wo || n == p[0] || n == p[1];
        self_seen += n == dirfd(d);
    }
    CHECK(seen == 5 && self_seen == 1);
    CHECK_ERR(access("/proc/self/fd/999", F_OK), ENOENT);
    CHECK_ERR(access("/proc/self/fd/01", F_OK), ENOENT);
    CHECK_ERR(access("/proc/self/fd/-1", F_OK), ENOENT);
    return 0;
}
