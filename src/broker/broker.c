/*
 * The broker's loop: one request after the other, none of which waits for the network. See
 * broker.h and protocol.h.
 */
#include "broker/broker.h"
#include "base/base.h"
#include "broker/protocol.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOCKETS_MAX 65536

static struct {
    const struct broker_policy *policy;
    int control, log;
    int *sockets; /* by id; -1: free */
    uint32_t next;
    struct broker_network network;
} broker;

/* ---- the table ---- */

static int socket_of_id(uint32_t id)
{
    return id > 0 && id < SOCKETS_MAX ? broker.sockets[id] : -1;
}

/* Keeps fd: an id, or 0 when there is no room. */
static uint32_t keep(int fd)
{
    for (uint32_t tries = 0; tries < SOCKETS_MAX; tries++) {
        uint32_t id = broker.next++ % SOCKETS_MAX;
        if (id == 0 || broker.sockets[id] >= 0)
            continue;
        broker.sockets[id] = fd;
        return id;
    }
    return 0;
}

static void forget(uint32_t id)
{
    int fd = socket_of_id(id);
    if (fd < 0)
        return;
    close(fd);
    broker.sockets[id] = -1;
}

/* ---- addresses ---- */

static bool is_v4(const struct sockaddr_in6 *a)
{
    return IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);
}

/* For a socket of this domain. */
static socklen_t host_address(const struct sockaddr_in6 *a, int domain, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (domain == AF_INET) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = a->sin6_port};
        memcpy(&in.sin_addr, a->sin6_addr.s6_addr + 12, 4);
        memcpy(ret, &in, sizeof(in));
        return sizeof(in);
    }
    struct sockaddr_in6 in6 = *a;
    in6.sin6_family = AF_INET6;
    memcpy(ret, &in6, sizeof(in6));
    return sizeof(in6);
}

static void map_address(const void *host, struct sockaddr_in6 *ret)
{
    struct sockaddr_in in;
    memcpy(&in, host, sizeof(in));
    if (in.sin_family == AF_INET6) {
        memcpy(ret, host, sizeof(*ret));
        return;
    }
    *ret = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = in.sin_port};
    ret->sin6_addr.s6_addr[10] = ret->sin6_addr.s6_addr[11] = 0xff;
    memcpy(ret->sin6_addr.s6_addr + 12, &in.sin_addr, 4);
}

static bool has_address(const struct sockaddr_in6 *a)
{
    static const struct in6_addr any4 = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    return !IN6_IS_ADDR_UNSPECIFIED(&a->sin6_addr) && memcmp(&a->sin6_addr, &any4, sizeof(any4)) != 0;
}

static void get_local(int fd, struct broker_reply *r)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(a);
    if (getsockname(fd, (struct sockaddr *)&a, &len) == 0)
        map_address(&a, &r->local);
}

/* ---- the log ---- */

/* One write of one line: stdio would want to know what the descriptor is. */
PRINTF(1, 2) static void note(const char *format, ...)
{
    char line[256];
    va_list ap;
    if (broker.log < 0)
        return;
    va_start(ap, format);
    int n = vsnprintf(line, sizeof(line) - 1, format, ap);
    va_end(ap);
    n = MIN(MAX(n, 0), (int)sizeof(line) - 2);
    line[n++] = '\n';
    (void)!write(broker.log, line, (size_t)n);
}

/* ---- policy ---- */

static int check(const struct sockaddr_in6 *to, const char *what)
{
    char text[INET6_ADDRSTRLEN] = "?";
    bool allowed = broker_policy_allows(broker.policy, to);
    if (is_v4(to))
        inet_ntop(AF_INET, to->sin6_addr.s6_addr + 12, text, sizeof(text));
    else
        inet_ntop(AF_INET6, &to->sin6_addr, text, sizeof(text));
    note("broker: %s %s port %u: %s", what, text, ntohs(to->sin6_port), allowed ? "allowed" : "denied");
    return allowed ? 0 : -EACCES;
}

/* ---- sockets ---- */

static int new_socket(int domain, int type)
{
    int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int bind_socket(int fd, int domain, const struct sockaddr_in6 *from)
{
    struct sockaddr_storage a;
    socklen_t len = host_address(from, domain, &a);
    return bind(fd, (struct sockaddr *)&a, len) < 0 ? -errno : 0;
}

/* Hands fd out: its id and itself. Closes it on failure. */
static int give(int fd, int err, struct broker_reply *r, int *ret_fd)
{
    if (err == 0) {
        r->id = keep(fd);
        err = r->id ? 0 : -ENFILE;
    }
    if (err < 0) {
        close(fd);
        return err;
    }
    get_local(fd, r);
    *ret_fd = fd;
    return 0;
}

static int do_connect(const struct broker_request *q, struct broker_reply *r, int *ret_fd)
{
    struct sockaddr_storage a;
    int domain = is_v4(&q->to) ? AF_INET : AF_INET6, on = 1;
    int err = check(&q->to, "connect to");
    int fd = err < 0 ? err : new_socket(domain, SOCK_STREAM);
    if (fd < 0)
        return fd;
    (void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (q->from.sin6_port) {
        (void)!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        err = bind_socket(fd, domain, &q->from);
    }
    socklen_t len = host_address(&q->to, domain, &a);
    if (err == 0 && connect(fd, (struct sockaddr *)&a, len) < 0 && errno != EINPROGRESS)
        err = -errno;
    return give(fd, err, r, ret_fd);
}

static int do_udp(const struct broker_request *q, struct broker_reply *r, int *ret_fd)
{
    int domain = q->domain == AF_INET6 ? AF_INET6 : AF_INET, off = 0, on = 1;
    int fd = new_socket(domain, SOCK_DGRAM);
    if (fd < 0)
        return fd;
    if (domain == AF_INET6)
        (void)!setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    (void)!setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
    int err = q->from.sin6_port || has_address(&q->from) ? bind_socket(fd, domain, &q->from) : 0;
    return give(fd, err, r, ret_fd);
}

static int do_udp_peer(const struct broker_request *q, struct broker_reply *r)
{
    int fd = socket_of_id(q->id), domain = q->domain == AF_INET6 ? AF_INET6 : AF_INET;
    struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(a);
    if (fd < 0)
        return -EBADF;
    if (q->to.sin6_family != AF_UNSPEC) {
        int err = check(&q->to, "UDP to");
        if (err < 0)
            return err;
        len = host_address(&q->to, domain, &a);
    }
    if (connect(fd, (struct sockaddr *)&a, len) < 0)
        return -errno;
    get_local(fd, r);
    return 0;
}

static int do_listen(const struct broker_request *q, struct broker_reply *r, int *ret_fd)
{
    int domain = q->domain == AF_INET6 && !is_v4(&q->from) ? AF_INET6 : AF_INET, on = 1;
    int fd = new_socket(domain, SOCK_STREAM);
    if (fd < 0)
        return fd;
    (void)!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (domain == AF_INET6)
        (void)!setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &q->how, sizeof(q->how));
    int err = bind_socket(fd, domain, &q->from);
    if (err == 0 && listen(fd, q->backlog) < 0)
        err = -errno;
    note("broker: listen at port %u: %s", ntohs(q->from.sin6_port), err < 0 ? strerrorname_np(-err) : "yes");
    return give(fd, err, r, ret_fd);
}

/* Options that concern the one connection and nobody else. */
static bool option_is_harmless(int level, int option)
{
    static const struct {
        int level, option;
    } harmless[] = {
        {IPPROTO_TCP, TCP_NODELAY},    {IPPROTO_TCP, TCP_CORK},      {IPPROTO_TCP, TCP_KEEPIDLE},
        {IPPROTO_TCP, TCP_KEEPINTVL},  {IPPROTO_TCP, TCP_KEEPCNT},   {IPPROTO_TCP, TCP_QUICKACK},
        {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_TCP, TCP_INFO},    {IPPROTO_TCP, TCP_MAXSEG},
        {IPPROTO_TCP, TCP_LINGER2},    {IPPROTO_TCP, TCP_NOTSENT_LOWAT}, {SOL_SOCKET, SO_KEEPALIVE},
        {SOL_SOCKET, SO_LINGER},       {SOL_SOCKET, SO_SNDBUF},      {SOL_SOCKET, SO_RCVBUF},
        {IPPROTO_IP, IP_TOS},          {IPPROTO_IP, IP_TTL},         {IPPROTO_IPV6, IPV6_TCLASS},
        {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    };
    for (size_t o = 0; o < ARRAY_SIZE(harmless); o++)
        if (harmless[o].level == level && harmless[o].option == option)
            return true;
    return false;
}

static int do_option(const struct broker_request *q, struct broker_reply *r, bool set)
{
    int fd = socket_of_id(q->id);
    socklen_t len = MIN(q->len, (uint32_t)BROKER_VALUE_MAX);
    if (fd < 0)
        return -EBADF;
    if (!option_is_harmless(q->level, q->option))
        return -ENOPROTOOPT;
    if (set)
        return setsockopt(fd, q->level, q->option, q->value, len) < 0 ? -errno : 0;
    if (getsockopt(fd, q->level, q->option, r->value, &len) < 0)
        return -errno;
    r->len = len;
    return 0;
}

static int handle(const struct broker_request *q, int beside, struct broker_reply *r, int *ret_fd)
{
    int fd = socket_of_id(q->id);
    switch (q->op) {
    case BROKER_HELLO:
        return 0;
    case BROKER_CONNECT:
        return do_connect(q, r, ret_fd);
    case BROKER_UDP:
        return do_udp(q, r, ret_fd);
    case BROKER_UDP_PEER:
        return do_udp_peer(q, r);
    case BROKER_UDP_CHECK:
        return check(&q->to, "UDP to");
    case BROKER_LISTEN:
        return do_listen(q, r, ret_fd);
    case BROKER_ADOPT:
        if (beside < 0)
            return -EBADF;
        r->id = keep(beside);
        if (!r->id)
            return -ENFILE;
        get_local(beside, r);
        return 1; /* it is kept */
    case BROKER_SHUTDOWN:
        return fd < 0 ? -EBADF : shutdown(fd, q->how) < 0 ? -errno : 0;
    case BROKER_SET_OPTION:
    case BROKER_GET_OPTION:
        return do_option(q, r, q->op == BROKER_SET_OPTION);
    default:
        return -EINVAL;
    }
}

/* ---- the loop ---- */

union fd_message {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

static void answer(const void *data, size_t len, int fd)
{
    struct iovec v = {(void *)data, len};
    union fd_message control = {0};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    if (fd >= 0) {
        control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
    }
    if (sendmsg(broker.control, &m, MSG_NOSIGNAL) < 0)
        _exit(0); /* the kernel process is gone */
}

static void serve(void)
{
    struct broker_request q;
    union fd_message control;
    struct iovec v = {&q, sizeof(q)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(broker.control, &m, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0)
        _exit(0);
    int beside = -1, fd = -1;
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (h && h->cmsg_type == SCM_RIGHTS)
        memcpy(&beside, CMSG_DATA(h), sizeof(beside));
    struct broker_reply r = {0};
    int err = n == sizeof(q) ? 0 : -EINVAL;
    if (err == 0 && q.op == BROKER_CLOSE) {
        forget(q.id);
        if (beside >= 0)
            close(beside);
        return;
    }
    if (err == 0)
        err = handle(&q, beside, &r, &fd);
    if (beside >= 0 && err != 1)
        close(beside);
    r.error = MIN(err, 0);
    answer(&r, sizeof(r), fd);
    if (n == sizeof(q) && q.op == BROKER_HELLO)
        answer(&broker.network, sizeof(broker.network), -1);
}

/* ---- what the network looks like ---- */

static struct broker_link *find_link(const char *name)
{
    struct broker_network *n = &broker.network;
    for (uint32_t l = 0; l < n->link_count; l++)
        if (strcmp(n->links[l].name, name) == 0)
            return &n->links[l];
    if (n->link_count == BROKER_LINKS)
        return NULL;
    struct broker_link *link = &n->links[n->link_count++];
    snprintf(link->name, sizeof(link->name), "%s", name);
    link->index = if_nametoindex(name);
    link->mtu = 1500;
    struct ifreq r = {0};
    memcpy(r.ifr_name, link->name, sizeof(r.ifr_name));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ioctl(fd, SIOCGIFMTU, &r) == 0)
        link->mtu = (uint32_t)r.ifr_mtu;
    if (fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &r) == 0)
        memcpy(link->hardware, r.ifr_hwaddr.sa_data, sizeof(link->hardware));
    if (fd >= 0)
        close(fd);
    return link;
}

static unsigned count_bits(const struct sockaddr *mask)
{
    bool v4 = mask->sa_family == AF_INET;
    const uint8_t *b = (const uint8_t *)mask + (v4 ? offsetof(struct sockaddr_in, sin_addr)
                                                   : offsetof(struct sockaddr_in6, sin6_addr));
    unsigned bits = 0, len = v4 ? 4 : 16;
    for (unsigned n = 0; n < len; n++)
        bits += (unsigned)__builtin_popcount(b[n]);
    return bits;
}

static void look_at_addresses(void)
{
    struct ifaddrs *all, *i;
    struct broker_network *n = &broker.network;
    if (getifaddrs(&all) < 0)
        return;
    for (i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || i->ifa_flags & IFF_LOOPBACK || !i->ifa_netmask ||
            (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
            continue;
        struct broker_link *link = find_link(i->ifa_name);
        if (!link || n->address_count == BROKER_ADDRESSES)
            continue;
        struct broker_address *a = &n->addresses[n->address_count++];
        a->index = link->index;
        a->prefix_len = count_bits(i->ifa_netmask);
        map_address(i->ifa_addr, &a->address);
    }
    freeifaddrs(all);
}

static void look_at_routes(void)
{
    char line[256], name[IFNAMSIZ + 1];
    unsigned destination, gateway, flags, mask;
    FILE *f = fopen("/proc/net/route", "re");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%16s %x %x %x %*d %*d %*d %x", name, &destination, &gateway, &flags, &mask) != 5 ||
            destination || mask || broker.network.gateway_index[0])
            continue;
        struct sockaddr_storage in = {0};
        ((struct sockaddr_in *)&in)->sin_family = AF_INET;
        ((struct sockaddr_in *)&in)->sin_addr.s_addr = gateway;
        broker.network.gateway_index[0] = if_nametoindex(name);
        map_address(&in, &broker.network.gateways[0]);
    }
    if (f)
        fclose(f);
    /* IPv6: any interface with an address that reaches further than its link will do. */
    for (uint32_t a = 0; a < broker.network.address_count; a++) {
        const struct broker_address *b = &broker.network.addresses[a];
        if (!is_v4(&b->address) && !IN6_IS_ADDR_LINKLOCAL(&b->address.sin6_addr))
            broker.network.gateway_index[1] = b->index;
    }
}

/* ---- the process ---- */

static int lock_down(void)
{
    static const int allowed[] = {
        SCMP_SYS(recvmsg),     SCMP_SYS(sendmsg),     SCMP_SYS(connect),    SCMP_SYS(bind),       SCMP_SYS(listen),
        SCMP_SYS(setsockopt),  SCMP_SYS(getsockopt),  SCMP_SYS(getsockname), SCMP_SYS(shutdown),  SCMP_SYS(close),
        SCMP_SYS(write),       SCMP_SYS(exit_group),  SCMP_SYS(rt_sigreturn), SCMP_SYS(brk),      SCMP_SYS(munmap),
        SCMP_SYS(restart_syscall),
    };
    static const cap_value_t keep_caps[] = {CAP_NET_BIND_SERVICE};
    cap_t caps = cap_init();
    if (caps && cap_set_flag(caps, CAP_PERMITTED, 1, keep_caps, CAP_SET) == 0 &&
        cap_set_flag(caps, CAP_EFFECTIVE, 1, keep_caps, CAP_SET) == 0 && cap_set_proc(caps) < 0) {
        cap_clear(caps);
        if (cap_set_proc(caps) < 0)
            return -errno;
    }
    cap_free(caps);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
        return -errno;
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!f)
        return -ENOMEM;
    int err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_INET));
    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_INET6));
    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    for (size_t i = 0; i < ARRAY_SIZE(allowed) && !err; i++)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
    if (!err)
        err = seccomp_load(f);
    seccomp_release(f);
    return err;
}

static void close_others(void)
{
    int low = MIN(broker.control, broker.log), high = MAX(broker.control, broker.log);
    for (int fd = 0; fd <= high; fd++)
        if (fd != low && fd != high)
            close(fd);
    close_range((unsigned)high + 1, ~0U, 0);
}

_Noreturn static void broker_main(void)
{
    sigset_t none;
    struct rlimit files = {SOCKETS_MAX + 64, SOCKETS_MAX + 64}, own;
    sigfillset(&none);
    sigprocmask(SIG_BLOCK, &none, NULL); /* the terminal's are not for us; the end of the socket is */
    if (setpgid(0, 0) < 0 || prctl(PR_SET_NAME, BROKER_NAME) < 0)
        _exit(1);
    if (chdir("/") < 0)
        _exit(1);
    close_others();
    if (getrlimit(RLIMIT_NOFILE, &own) == 0 && setrlimit(RLIMIT_NOFILE, &files) < 0) {
        own.rlim_cur = own.rlim_max;
        (void)!setrlimit(RLIMIT_NOFILE, &own);
    }
    broker.sockets = malloc(SOCKETS_MAX * sizeof(int));
    if (!broker.sockets)
        _exit(1);
    memset(broker.sockets, 0xff, SOCKETS_MAX * sizeof(int));
    look_at_addresses();
    look_at_routes();
    if (lock_down() < 0)
        _exit(1);
    for (;;)
        serve();
}

int broker_start(const struct broker_policy *policy, int log, int *ret_fd)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        broker.policy = policy;
        broker.control = pair[1];
        broker.log = log;
        broker_main();
    }
    int err = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return -err;
    }
    *ret_fd = pair[0];
    return pid;
}
