/*
 * For tests of terminals: a pseudo-terminal, and reading what its master shows.
 */
#pragma once
#include "expect.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static inline void pty_make(void)
{
    master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(master >= 0);
    CHECK_EQ(grantpt(master) | unlockpt(master), 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0);
}

static inline void pty_flags(tcflag_t clear_local, tcflag_t set_local)
{
    struct termios t;
    CHECK_EQ(tcgetattr(slave, &t), 0);
    t.c_lflag = (t.c_lflag & ~clear_local) | set_local;
    CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
}

static inline void pty_type(const char *keys)
{
    CHECK_EQ(write(master, keys, strlen(keys)), strlen(keys));
    check_sleep_ms(10); // Linux hands keys over in the background
}

/* Everything fd has to say within a short time, with control characters made visible. */
static inline const char *pty_seen(int fd)
{
    static char text[4096];
    char buf[256];
    size_t len = 0;
    struct pollfd p = {fd, POLLIN, 0};
    while (poll(&p, 1, 60) == 1 && p.revents & POLLIN) {
        ssize_t n = read(fd, buf, sizeof buf);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n && len < sizeof text - 4; i++) {
            unsigned char c = (unsigned char)buf[i];
            if (c == '\\' || c < ' ' || c == 127) {
                text[len++] = '\\';
                c = c == '\\' ? '\\' : c == 127 ? '?' : (unsigned char)(c + 64);
            }
            text[len++] = (char)c;
        }
    }
    text[len] = 0;
    return text;
}

#define CHECK_SEEN(fd, want)                                                               \
    do {                                                                                   \
        const char *seen_ = pty_seen(fd);                                                  \
        if (strcmp(seen_, (want))) {                                                       \
            printf("%s:%d: saw '%s', not '%s'\n", __FILE__, __LINE__, seen_, (want));      \
            check_failures++;                                                              \
        }                                                                                  \
    } while (0)
