// sendmsg, recvmsg, sendmmsg, recvmmsg: vectors, flags, truncation, names, counts.
#include "expect.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

int main(void)
{
    int s[2], n;
    char a[4], b[20];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
    struct iovec out[2] = {{"hello ", 6}, {"world", 5}};
    struct msghdr m = {.msg_iov = out, .msg_iovlen = 2};
    CHECK_EQ(sendmsg(s[0], &m, 0), 11);
    CHECK_EQ(ioctl(s[1], FIONREAD, &n), 0);
    CHECK_EQ(n, 11);
    CHECK_EQ(ioctl(s[0], SIOCOUTQ, &n), 0);
    CHECK(n > 0);
    struct iovec in[2] = {{a, sizeof a}, {b, 3}};
    m = (struct msghdr){.msg_iov = in, .msg_iovlen = 2, .msg_flags = 0x1234};
    CHECK_EQ(recvmsg(s[1], &m, MSG_PEEK), 7);
    CHECK_EQ(m.msg_flags, MSG_TRUNC);
    CHECK_EQ(recvmsg(s[1], &m, MSG_TRUNC), 11);
    CHECK(memcmp(a, "hell", 4) == 0 && memcmp(b, "o w", 3) == 0);
    CHECK_EQ(ioctl(s[0], SIOCOUTQ, &n), 0);
    CHECK_EQ(n, 0);
    CHECK_ERR(recvmsg(s[1], &m, MSG_DONTWAIT), EAGAIN);
    CHECK_ERR(send(s[0], "x", 1, MSG_OOB), EOPNOTSUPP);
    CHECK_ERR(sendmsg(s[0], (void *)8, 0), EFAULT);
    m.msg_iovlen = 5000;
    CHECK_ERR(sendmsg(s[0], &m, 0), EMSGSIZE);

    struct mmsghdr mm[3] = {0};
    struct iovec v[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
    for (int i = 0; i < 3; i++)
        mm[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
    CHECK_EQ(sendmmsg(s[0], mm, 3, 0), 3);
    CHECK(mm[0].msg_len == 1 && mm[1].msg_len == 2 && mm[2].msg_len == 3);
    char room[3][10];
    for (int i = 0; i < 3; i++) {
        v[i] = (struct iovec){room[i], 10};
        mm[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
    }
    CHECK_EQ(recvmmsg(s[1], mm, 2, 0, NULL), 2);
    CHECK(mm[1].msg_len == 2 && memcmp(room[1], "bb", 2) == 0);
    CHECK_EQ(recvmmsg(s[1], mm, 3, MSG_WAITFORONE, NULL), 1);
    CHECK_EQ(mm[0].msg_len, 3);
    struct timespec ts = {0, 1000000};
    CHECK_ERR(recvmmsg(s[1], mm, 3, MSG_DONTWAIT, &ts), EAGAIN);

    // An unnamed sender has a name of length 0
    struct sockaddr_storage name;
    CHECK_EQ(send(s[0], "q", 1, 0), 1);
    m = (struct msghdr){.msg_iov = in, .msg_iovlen = 1, .msg_name = &name, .msg_namelen = sizeof name};
    CHECK_EQ(recvmsg(s[1], &m, 0), 1);
    CHECK_EQ(m.msg_namelen, 0);
    CHECK_EQ(m.msg_flags, 0);
    return check_done();
}
