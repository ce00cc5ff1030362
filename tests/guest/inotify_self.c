// Watching a file itself: modify, attributes, its end; masks, one shot, small buffers, errors.
#include "expect.h"
#include <poll.h>
#include <sys/inotify.h>

static char buf[4096] __attribute__((aligned(8)));

static uint32_t one(int fd)
{
    ssize_t n = read(fd, buf, sizeof(struct inotify_event));
    return n == sizeof(struct inotify_event) ? ((struct inotify_event *)buf)->mask : 0;
}

int main(void)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int f = open("file", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    int wd = inotify_add_watch(fd, "file", IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
    CHECK_EQ(wd, 1);
    struct pollfd p = {fd, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, 0), 0);
    CHECK_EQ(write(f, "abc", 3), 3);
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_ERR(read(fd, buf, 8), EINVAL); // too small for an event
    CHECK_EQ(one(fd), IN_MODIFY);
    CHECK_EQ(ftruncate(f, 1), 0);
    CHECK_EQ(one(fd), IN_MODIFY);
    CHECK_EQ(fchmod(f, 0644), 0);
    CHECK_EQ(one(fd), IN_ATTRIB);
    CHECK_EQ(rename("file", "other"), 0);
    CHECK_EQ(one(fd), IN_MOVE_SELF);
    CHECK_ERR(inotify_add_watch(fd, "other", IN_MODIFY | IN_MASK_CREATE), EEXIST);
    CHECK_EQ(inotify_add_watch(fd, "other", IN_OPEN | IN_MASK_ADD), wd);
    close(open("other", O_RDONLY));
    CHECK_EQ(one(fd), IN_OPEN);
    CHECK_EQ(write(f, "abc", 3), 3);
    CHECK_EQ(one(fd), IN_MODIFY);
    CHECK_EQ(inotify_add_watch(fd, "other", IN_DELETE_SELF), wd); // replaces
    CHECK_EQ(write(f, "abc", 3), 3);
    CHECK_EQ(one(fd), 0);
    close(f);
    CHECK_EQ(unlink("other"), 0);
    CHECK_EQ(one(fd), IN_DELETE_SELF);
    CHECK_EQ(one(fd), IN_IGNORED);
    CHECK_ERR(inotify_rm_watch(fd, wd), EINVAL);
    close(open("third", O_CREAT | O_RDWR, 0600));
    wd = inotify_add_watch(fd, "third", IN_OPEN | IN_ONESHOT);
    CHECK_EQ(wd, 2);
    close(open("third", O_RDONLY));
    close(open("third", O_RDONLY));
    CHECK_EQ(one(fd), IN_OPEN);
    CHECK_EQ(one(fd), IN_IGNORED);
    CHECK_EQ(one(fd), 0);
    CHECK_ERR(inotify_add_watch(fd, "third", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    CHECK_ERR(inotify_add_watch(fd, "absent", IN_OPEN), ENOENT);
    CHECK_ERR(inotify_add_watch(fd, "third", 0), EINVAL);
    CHECK_ERR(inotify_add_watch(0, "third", IN_OPEN), EINVAL);
    CHECK_ERR(inotify_init1(77), EINVAL);
    return check_done();
}
