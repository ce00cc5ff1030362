/* NETLINK_ROUTE: dumps, errors and changes in a fresh network namespace; what the C library makes of them. */
#include "expect.h"
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

static int s;
static unsigned sequence = 100;

struct request {
    struct nlmsghdr h;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg addr;
        struct rtmsg route;
        char room[512];
    };
};

static void add_attr(struct request *r, int type, const void *data, unsigned len)
{
    struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->h.nlmsg_len));
    a->rta_type = (unsigned short)type;
    a->rta_len = (unsigned short)RTA_LENGTH(len);
    memcpy(RTA_DATA(a), data, len);
    r->h.nlmsg_len = NLMSG_ALIGN(r->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static void begin(struct request *r, int type, int flags, unsigned len)
{
    memset(r, 0, sizeof(*r));
    r->h.nlmsg_len = NLMSG_LENGTH(len);
    r->h.nlmsg_type = (unsigned short)type;
    r->h.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags);
    r->h.nlmsg_seq = ++sequence;
}

/* The error of the answer to a request that wants an acknowledgement. */
static int talk(struct request *r)
{
    char buf[8192];
    r->h.nlmsg_flags |= NLM_F_ACK;
    CHECK_EQ(send(s, r, r->h.nlmsg_len, 0), r->h.nlmsg_len);
    ssize_t n = recv(s, buf, sizeof(buf), 0);
    struct nlmsghdr *h = (struct nlmsghdr *)buf;
    CHECK(n >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)));
    CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
    CHECK_EQ(h->nlmsg_seq, sequence);
    return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
}

static void test_socket(void)
{
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};
    socklen_t len = sizeof(a);
    CHECK_ERR(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
    CHECK_ERR(socket(AF_NETLINK, SOCK_RAW, 31), EPROTONOSUPPORT);
    CHECK_ERR(socket(AF_NETLINK, SOCK_RAW, 99), EPROTONOSUPPORT);
    CHECK_EQ(getsockname(s, (struct sockaddr *)&a, &len), 0);
    CHECK_EQ(len, sizeof(a));
    CHECK_EQ(a.nl_pid, 0);
    CHECK_ERR(bind(s, (struct sockaddr *)&a, 5), EINVAL);
    a.nl_family = AF_UNIX;
    CHECK_ERR(bind(s, (struct sockaddr *)&a, sizeof(a)), EINVAL);
    a.nl_family = AF_NETLINK;
    CHECK_EQ(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
    CHECK_EQ(getsockname(s, (struct sockaddr *)&a, &len), 0);
    CHECK_EQ(a.nl_pid, (unsigned)getpid());
    a.nl_pid = 4711;
    CHECK_ERR(bind(s, (struct sockaddr *)&a, sizeof(a)), EINVAL);
    CHECK_EQ(getpeername(s, (struct sockaddr *)&a, &len), 0);
    CHECK_EQ(a.nl_pid, 0);
    CHECK_ERR(listen(s, 1), EOPNOTSUPP);
    CHECK_ERR(accept(s, NULL, NULL), EOPNOTSUPP);
    CHECK_ERR(shutdown(s, SHUT_RD), EOPNOTSUPP);
    CHECK_ERR(send(s, "", 0, 0), ENODATA);
    CHECK_ERR(send(s, "x", 1, MSG_OOB), EOPNOTSUPP);
    CHECK_ERR(recv(s, &a, 1, MSG_DONTWAIT), EAGAIN);
    int other = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    a.nl_pid = (unsigned)getpid();
    CHECK_ERR(bind(other, (struct sockaddr *)&a, sizeof(a)), EADDRINUSE);
    a.nl_pid = 0;
    CHECK_EQ(bind(other, (struct sockaddr *)&a, sizeof(a)), 0);
    CHECK_EQ(getsockname(other, (struct sockaddr *)&a, &len), 0);
    CHECK((int)a.nl_pid < 0);
    a.nl_pid = 0;
    CHECK_EQ(sendto(other, "abcdefgh", 8, 0, (struct sockaddr *)&a, sizeof(a)), 8);
    close(other);
    int fds[2];
    CHECK_ERR(socketpair(AF_NETLINK, SOCK_RAW, 0, fds), EOPNOTSUPP);
}

static void test_options(void)
{
    int on = 1;
    socklen_t len = sizeof(on);
    uint32_t groups[4] = {0};
    CHECK_EQ(setsockopt(s, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)), 0);
    CHECK_EQ(getsockopt(s, SOL_NETLINK, NETLINK_EXT_ACK, &on, &len), 0);
    CHECK_EQ(on, 1);
    on = 0;
    CHECK_EQ(setsockopt(s, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)), 0);
    on = RTNLGRP_LINK;
    CHECK_EQ(setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &on, sizeof(on)), 0);
    len = sizeof(groups);
    CHECK_EQ(getsockopt(s, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &len), 0);
    CHECK_EQ(groups[0], 1);
    CHECK_EQ(setsockopt(s, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &on, sizeof(on)), 0);
    on = 0;
    CHECK_ERR(setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &on, sizeof(on)), EINVAL);
    on = 1000;
    CHECK_ERR(setsockopt(s, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &on, sizeof(on)), EINVAL);
    CHECK_ERR(setsockopt(s, SOL_NETLINK, 99, &on, sizeof(on)), ENOPROTOOPT);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, 9999, &on, sizeof(on)), ENOPROTOOPT);
    len = 2;
    CHECK_ERR(getsockopt(s, SOL_NETLINK, NETLINK_EXT_ACK, &on, &len), EINVAL);
}

static void test_errors(void)
{
    struct request r;
    begin(&r, RTM_GETLINK, 0, sizeof(r.link));
    r.link.ifi_index = 4711;
    CHECK_EQ(talk(&r), -ENODEV);
    begin(&r, RTM_GETLINK, 0, sizeof(r.link));
    CHECK_EQ(talk(&r), -EINVAL);
    begin(&r, RTM_GETLINK, 0, 4);
    CHECK_EQ(talk(&r), -EINVAL);
    begin(&r, RTM_MAX + 1, 0, sizeof(r.link));
    CHECK_EQ(talk(&r), -EOPNOTSUPP);
    begin(&r, NLMSG_NOOP, 0, 0);
    CHECK_EQ(talk(&r), 0);
    begin(&r, RTM_NEWLINK, 0, sizeof(r.link));
    CHECK_EQ(talk(&r), -ENODEV);
    begin(&r, RTM_DELLINK, 0, sizeof(r.link));
    r.link.ifi_index = 1;
    CHECK_EQ(talk(&r), -EOPNOTSUPP);
    begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(r.addr));
    r.addr.ifa_family = AF_INET;
    r.addr.ifa_index = 1;
    r.addr.ifa_prefixlen = 8;
    CHECK_EQ(talk(&r), -EINVAL); /* no address */
    begin(&r, RTM_NEWLINK, 0, sizeof(r.link));
    r.link.ifi_index = 1;
    add_attr(&r, IFLA_MTU, "ab", 2); /* too short */
    CHECK_EQ(talk(&r), -ERANGE);
    begin(&r, RTM_DELROUTE, 0, sizeof(r.route));
    r.route.rtm_family = AF_INET;
    r.route.rtm_table = RT_TABLE_MAIN;
    r.route.rtm_scope = RT_SCOPE_NOWHERE;
    CHECK_EQ(talk(&r), -ESRCH);
    /* a message that is longer than what was sent is not looked at */
    begin(&r, RTM_GETLINK, NLM_F_ACK, sizeof(r.link));
    r.h.nlmsg_len = 4000;
    CHECK_EQ(send(s, &r, 32, 0), 32);
    CHECK_ERR(recv(s, &r, sizeof(r), MSG_DONTWAIT), EAGAIN);
}

/* An answer's flags, sender and truncation. */
static void test_receive(void)
{
    struct request r;
    char buf[64];
    struct sockaddr_nl from;
    struct iovec v = {buf, sizeof(buf)};
    struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1};
    begin(&r, RTM_GETLINK, 0, sizeof(r.link));
    r.link.ifi_index = 1;
    CHECK_EQ(send(s, &r, r.h.nlmsg_len, 0), r.h.nlmsg_len);
    CHECK(recv(s, NULL, 0, MSG_PEEK | MSG_TRUNC) > 600);
    CHECK_EQ(recvmsg(s, &m, 0), sizeof(buf));
    CHECK_EQ(m.msg_flags, MSG_TRUNC);
    CHECK_EQ(m.msg_namelen, sizeof(from));
    CHECK_EQ(from.nl_pid, 0);
    CHECK_ERR(recv(s, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
    struct nlmsghdr *h = (struct nlmsghdr *)buf;
    CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
    CHECK_EQ(h->nlmsg_flags, 0);
    CHECK_EQ(h->nlmsg_pid, (unsigned)getpid());
    CHECK_EQ(h->nlmsg_seq, sequence);
    CHECK_EQ(((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index, 1);
}

static int dump_count(int type, int family, int *ret_error)
{
    struct request r;
    char buf[16384];
    int count = 0;
    begin(&r, type, NLM_F_DUMP, sizeof(struct rtgenmsg));
    r.room[0] = (char)family;
    CHECK_EQ(send(s, &r, r.h.nlmsg_len, 0), r.h.nlmsg_len);
    for (;;) {
        ssize_t n = recv(s, buf, sizeof(buf), 0);
        CHECK(n > 0);
        if (n <= 0)
            return -1;
        for (struct nlmsghdr *h = (struct nlmsghdr *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
            if (h->nlmsg_type == NLMSG_ERROR) {
                *ret_error = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
                return count;
            }
            CHECK(h->nlmsg_flags & NLM_F_MULTI);
            if (h->nlmsg_type == NLMSG_DONE)
                return count;
            CHECK_EQ(h->nlmsg_type, type - 2);
            count++;
        }
    }
}

static void test_dumps(int up)
{
    int error = 0;
    CHECK_EQ(dump_count(RTM_GETLINK, AF_UNSPEC, &error), 1);
    CHECK_EQ(dump_count(RTM_GETADDR, AF_UNSPEC, &error), up ? 2 : 0);
    CHECK_EQ(dump_count(RTM_GETADDR, AF_INET, &error), up);
    CHECK_EQ(dump_count(RTM_GETADDR, AF_INET6, &error), up);
    CHECK_EQ(dump_count(RTM_GETROUTE, AF_INET, &error), up ? 3 : 0);
    CHECK_EQ(dump_count(RTM_GETRULE, AF_INET, &error), 3);
    CHECK_EQ(dump_count(RTM_GETNEIGH, AF_UNSPEC, &error), 0);
    CHECK_EQ(error, 0);
    struct if_nameindex *names = if_nameindex();
    CHECK(names && names[0].if_index == 1 && strcmp(names[0].if_name, "lo") == 0 && !names[1].if_name);
    if_freenameindex(names);
    struct ifaddrs *all;
    int count = 0;
    CHECK_EQ(getifaddrs(&all), 0);
    for (struct ifaddrs *i = all; i; i = i->ifa_next, count++)
        CHECK(strcmp(i->ifa_name, "lo") == 0);
    CHECK_EQ(count, up ? 3 : 1);
    freeifaddrs(all);
}

static void test_notifications(void)
{
    struct request r;
    char buf[4096];
    struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE};
    int listener = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    socklen_t len = sizeof(a);
    CHECK_EQ(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
    begin(&r, RTM_NEWLINK, 0, sizeof(r.link));
    r.link.ifi_index = 1;
    r.link.ifi_flags = r.link.ifi_change = IFF_UP;
    CHECK_EQ(talk(&r), 0);
    int links = 0, addrs = 0, routes = 0;
    for (;;) {
        ssize_t n = recvfrom(listener, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&a, &len);
        if (n < 0)
            break;
        struct nlmsghdr *h = (struct nlmsghdr *)buf;
        links += h->nlmsg_type == RTM_NEWLINK && a.nl_groups == RTMGRP_LINK;
        addrs += h->nlmsg_type == RTM_NEWADDR && a.nl_groups == RTMGRP_IPV4_IFADDR;
        routes += h->nlmsg_type == RTM_NEWROUTE && a.nl_groups == RTMGRP_IPV4_ROUTE;
    }
    CHECK_EQ(links, 1);
    CHECK_EQ(addrs, 1);
    CHECK_EQ(routes, 3);
    close(listener);
}

static void test_addresses(void)
{
    struct request r;
    uint32_t address = htonl(0x0a000001);
    begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(r.addr));
    r.addr.ifa_family = AF_INET;
    r.addr.ifa_index = 1;
    r.addr.ifa_prefixlen = 24;
    add_attr(&r, IFA_LOCAL, &address, 4);
    CHECK_EQ(talk(&r), 0);
    r.h.nlmsg_seq = ++sequence;
    CHECK_EQ(talk(&r), -EEXIST);
    r.addr.ifa_index = 77;
    r.h.nlmsg_seq = ++sequence;
    CHECK_EQ(talk(&r), -ENODEV);
    r.addr.ifa_index = 1;
    r.h.nlmsg_type = RTM_DELADDR;
    r.h.nlmsg_flags = NLM_F_REQUEST;
    r.h.nlmsg_seq = ++sequence;
    CHECK_EQ(talk(&r), 0);
    r.h.nlmsg_seq = ++sequence;
    CHECK_EQ(talk(&r), -EADDRNOTAVAIL);
}

static void test_rights(void)
{
    struct request r;
    int error = 0;
    struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_pid = 1};
    CHECK_EQ(setuid(1000), 0);
    begin(&r, RTM_NEWLINK, 0, sizeof(r.link));
    r.link.ifi_index = 1;
    CHECK_EQ(talk(&r), -EPERM);
    CHECK_EQ(dump_count(RTM_GETLINK, AF_UNSPEC, &error), 1);
    CHECK_ERR(sendto(s, &r, 32, 0, (struct sockaddr *)&a, sizeof(a)), EPERM);
    CHECK_ERR(connect(s, (struct sockaddr *)&a, sizeof(a)), EPERM);
}

int main(void)
{
    CHECK_EQ(unshare(CLONE_NEWNET), 0);
    s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    CHECK(s >= 0);
    test_socket();
    test_options();
    test_errors();
    test_receive();
    test_dumps(0);
    test_notifications();
    test_dumps(1);
    test_addresses();
    test_rights();
    return check_done();
}
