// Watching a directory: create, open, write, close, move, delete, in order and with names.
#include "expect.h"
#include <sys/inotify.h>
#include <sys/ioctl.h>

static char buf[65536] __attribute__((aligned(8)));
static ssize_t have, at;

static const struct inotify_event *next(int fd)
{
    if (at >= have) {
        have = read(fd, buf, sizeof buf);
        at = 0;
        if (have <= 0)
            return NULL;
    }
    const struct inotify_event *e = (const void *)(buf + at);
    at += (ssize_t)sizeof *e + e->len;
    return e;
}

static uint32_t expect(int line, int fd, int wd, uint32_t mask, const char *name)
{
    const struct inotify_event *e = next(fd);
    if (!e) {
        printf("line %d: no event, wanted %#x %s\n", line, mask, name);
        check_failures++;
        return 0;
    }
    if (e->wd != wd || e->mask != mask || strcmp(e->len ? e->name : "", name)) {
        printf("line %d: wd %d mask %#x name '%s', ", line, e->wd, e->mask, e->len ? e->name : "");
        printf("wanted %d %#x '%s'\n", wd, mask, name);
        check_failures++;
    }
    return e->cookie;
}
#define EXPECT(...) expect(__LINE__, fd, __VA_ARGS__)

int main(void)
{
    int n;
    int fd = inotify_init1(IN_NONBLOCK);
    CHECK(fd >= 0);
    CHECK_EQ(mkdir("d", 0700) | mkdir("e", 0700), 0);
    int d = inotify_add_watch(fd, "d", IN_ALL_EVENTS), e = inotify_add_watch(fd, "e", IN_MOVED_TO | IN_MOVED_FROM);
    CHECK(d == 1 && e == 2);
    CHECK(!next(fd) && errno == EAGAIN);
    int f = open("d/file", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(write(f, "x", 1), 1);
    CHECK_EQ(write(f, "y", 1), 1); // coalesced with the one before
    char c;
    CHECK_EQ(pread(f, &c, 1, 0), 1);
    close(f);
    EXPECT(d, IN_CREATE, "file");
    EXPECT(d, IN_OPEN, "file");
    EXPECT(d, IN_MODIFY, "file");
    EXPECT(d, IN_ACCESS, "file");
    EXPECT(d, IN_CLOSE_WRITE, "file");
    CHECK_EQ(chmod("d/file", 0640), 0);
    EXPECT(d, IN_ATTRIB, "file");
    CHECK_EQ(rename("d/file", "d/a_much_longer_name_than_before"), 0);
    uint32_t from = EXPECT(d, IN_MOVED_FROM, "file");
    uint32_t to = EXPECT(d, IN_MOVED_TO, "a_much_longer_name_than_before");
    CHECK(from == to && from != 0);
    CHECK_EQ(rename("d/a_much_longer_name_than_before", "e/f"), 0);
    from = EXPECT(d, IN_MOVED_FROM, "a_much_longer_name_than_before");
    to = EXPECT(e, IN_MOVED_TO, "f");
    CHECK(from == to);
    CHECK_EQ(mkdir("d/sub", 0700), 0);
    EXPECT(d, IN_CREATE | IN_ISDIR, "sub");
    CHECK_EQ(rmdir("d/sub"), 0);
    EXPECT(d, IN_DELETE | IN_ISDIR, "sub");
    CHECK_EQ(symlink("x", "d/link"), 0);
    EXPECT(d, IN_CREATE, "link");
    CHECK_EQ(link("e/f", "d/hard"), 0);
    EXPECT(d, IN_CREATE, "hard");
    f = open("d/hard", O_RDONLY);
    close(f);
    EXPECT(d, IN_OPEN, "hard");
    EXPECT(d, IN_CLOSE_NOWRITE, "hard");
    CHECK_EQ(unlink("d/hard"), 0);
    CHECK_EQ(ioctl(fd, FIONREAD, &n), 0);
    CHECK_EQ(n, 32);
    EXPECT(d, IN_DELETE, "hard");
    CHECK_EQ(inotify_rm_watch(fd, e), 0);
    EXPECT(e, IN_IGNORED, "");
    CHECK_ERR(inotify_rm_watch(fd, e), EINVAL);
    CHECK(!next(fd));
    return check_done();
}
