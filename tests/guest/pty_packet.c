// Packet mode, TIOCGPTPEER, exclusive use, /dev/pts as a directory.
#include "ptypair.h"
#include <dirent.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

int main(void)
{
    int on = 1, n = 0;
    char buf[64];
    pty_make();
    CHECK_EQ(ioctl(master, TIOCPKT, &on), 0);
    CHECK_EQ(write(slave, "data", 4), 4);
    CHECK_EQ(read(master, buf, sizeof buf), 5);
    CHECK(buf[0] == TIOCPKT_DATA && memcmp(buf + 1, "data", 4) == 0);
    CHECK_EQ(tcflush(slave, TCIOFLUSH), 0);
    struct pollfd p = {master, POLLIN | POLLPRI, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK(p.revents & POLLPRI);
    CHECK_EQ(read(master, buf, sizeof buf), 1);
    CHECK_EQ(buf[0] & (TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE), TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
    CHECK_EQ(tcflow(slave, TCOOFF), 0);
    CHECK_EQ(read(master, buf, sizeof buf), 1);
    CHECK(buf[0] & TIOCPKT_STOP);
    CHECK_EQ(tcflow(slave, TCOON), 0);
    CHECK_EQ(read(master, buf, sizeof buf), 1);
    CHECK(buf[0] & TIOCPKT_START);
    on = 0;
    CHECK_EQ(ioctl(master, TIOCPKT, &on), 0);
    int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(peer >= 0);
    CHECK_EQ(fcntl(peer, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(write(peer, "peer", 4), 4);
    CHECK_SEEN(master, "peer");
    CHECK(ttyname(peer) && strcmp(ttyname(peer), ptsname(master)) == 0);
    CHECK_EQ(ioctl(master, TIOCGPTN, &n), 0);
    DIR *d = opendir("/dev/pts");
    int found = 0, ptmx = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        found += atoi(e->d_name) == n && e->d_type == DT_CHR && e->d_name[0] != '.' && strcmp(e->d_name, "ptmx");
        ptmx += strcmp(e->d_name, "ptmx") == 0;
    }
    CHECK(found == 1 && ptmx == 1);
    closedir(d);
    int more[20];
    for (int i = 0; i < 20; i++) {
        more[i] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
        CHECK(more[i] >= 0);
        for (int j = 0; j < i; j++) {
            int a = -1, b = -1;
            ioctl(more[i], TIOCGPTN, &a);
            ioctl(more[j], TIOCGPTN, &b);
            CHECK(a != b);
        }
    }
    for (int i = 0; i < 20; i++)
        close(more[i]);
    CHECK_EQ(chmod(ptsname(master), 0622), 0);
    struct stat st;
    CHECK_EQ(fstat(slave, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0622);
    return check_done();
}
