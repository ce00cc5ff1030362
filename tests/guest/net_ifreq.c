/* netdevice(7) on sockets: interfaces asked about and changed through a socket of any family. */
#include "expect.h"
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int s;

static struct ifreq named(const char *name)
{
    struct ifreq r;
    memset(&r, 0, sizeof(r));
    strcpy(r.ifr_name, name);
    return r;
}

static void test_loopback(void)
{
    struct ifreq r = named("lo");
    CHECK_EQ(ioctl(s, SIOCGIFINDEX, &r), 0);
    CHECK_EQ(r.ifr_ifindex, 1);
    r = named("");
    r.ifr_ifindex = 1;
    CHECK_EQ(ioctl(s, SIOCGIFNAME, &r), 0);
    CHECK(strcmp(r.ifr_name, "lo") == 0);
    r = named("lo");
    CHECK_EQ(ioctl(s, SIOCGIFMTU, &r), 0);
    CHECK_EQ(r.ifr_mtu, 65536);
    r = named("lo");
    CHECK_EQ(ioctl(s, SIOCGIFHWADDR, &r), 0);
    CHECK_EQ(r.ifr_hwaddr.sa_family, ARPHRD_LOOPBACK);
    r = named("lo");
    CHECK_EQ(ioctl(s, SIOCGIFTXQLEN, &r), 0);
    CHECK_EQ(r.ifr_qlen, 1000);
    r = named("lo");
    r.ifr_metric = 9;
    CHECK_EQ(ioctl(s, SIOCGIFMETRIC, &r), 0);
    CHECK_EQ(r.ifr_metric, 0);
    r = named("lo");
    CHECK_EQ(ioctl(s, SIOCGIFFLAGS, &r), 0);
    CHECK_EQ(r.ifr_flags & IFF_LOOPBACK, IFF_LOOPBACK);
    r = named("lo");
    CHECK_ERR(ioctl(s, SIOCGIFADDR, &r), ENOTTY); /* not an AF_INET socket */
}

static void test_errors(void)
{
    struct ifreq r = named("none");
    CHECK_ERR(ioctl(s, SIOCGIFINDEX, &r), ENODEV);
    CHECK_ERR(ioctl(s, SIOCGIFFLAGS, &r), ENODEV);
    CHECK_ERR(ioctl(s, SIOCGIFMTU, &r), ENODEV);
    r.ifr_ifindex = 12345;
    CHECK_ERR(ioctl(s, SIOCGIFNAME, &r), ENODEV);
    CHECK_ERR(ioctl(s, SIOCGIFFLAGS, (void *)8), EFAULT);
    CHECK_ERR(ioctl(s, SIOCGIFCONF, (void *)8), EFAULT);
    r = named("lo");
    CHECK_ERR(ioctl(s, 0x89aa, &r), ENOTTY);
    r = named("lo");
    r.ifr_metric = 1;
    CHECK_ERR(ioctl(s, SIOCSIFMETRIC, &r), EOPNOTSUPP);
    r = named("lo");
    r.ifr_mtu = -1;
    CHECK_ERR(ioctl(s, SIOCSIFMTU, &r), EINVAL);
    r = named("lo");
    r.ifr_qlen = -1;
    CHECK_ERR(ioctl(s, SIOCSIFTXQLEN, &r), EINVAL);
}

static int conf(char *buf, int len)
{
    struct ifconf c = {.ifc_len = len, .ifc_buf = buf};
    CHECK_EQ(ioctl(s, SIOCGIFCONF, &c), 0);
    return c.ifc_len;
}

static void test_conf(void)
{
    struct ifreq r[4];
    CHECK_EQ(conf(NULL, 0), (int)sizeof(r[0]));
    CHECK_EQ(conf((char *)r, sizeof(r)), (int)sizeof(r[0]));
    CHECK(strcmp(r[0].ifr_name, "lo") == 0);
    CHECK_EQ(((struct sockaddr_in *)&r[0].ifr_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(conf((char *)r, sizeof(r[0]) - 1), 0);
    CHECK_EQ(conf((char *)r, 0), 0);
    CHECK_EQ(conf((char *)r, -1), 0);
}

/* A namespace of its own: down, then up. */
static void test_fresh(void)
{
    struct ifreq r = named("lo");
    CHECK_EQ(unshare(CLONE_NEWNET), 0);
    close(s);
    s = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(ioctl(s, SIOCGIFFLAGS, &r), 0);
    CHECK_EQ(r.ifr_flags, IFF_LOOPBACK);
    CHECK_EQ(conf(NULL, 0), 0);
    r = named("lo");
    r.ifr_flags = IFF_UP;
    CHECK_EQ(ioctl(s, SIOCSIFFLAGS, &r), 0);
    r = named("lo");
    CHECK_EQ(ioctl(s, SIOCGIFFLAGS, &r), 0);
    CHECK_EQ(r.ifr_flags, IFF_LOOPBACK | IFF_UP | IFF_RUNNING);
    test_conf();
    r = named("lo");
    r.ifr_mtu = 1500;
    CHECK_EQ(ioctl(s, SIOCSIFMTU, &r), 0);
    r = named("lo");
    CHECK_EQ(ioctl(s, SIOCGIFMTU, &r), 0);
    CHECK_EQ(r.ifr_mtu, 1500);
    r = named("lo");
    r.ifr_flags = 0;
    CHECK_EQ(ioctl(s, SIOCSIFFLAGS, &r), 0);
    CHECK_EQ(conf(NULL, 0), (int)sizeof(r)); /* the address stays */
    CHECK_EQ(setuid(1000), 0);
    CHECK_ERR(ioctl(s, SIOCSIFFLAGS, &r), EPERM);
    CHECK_ERR(ioctl(s, SIOCSIFMTU, &r), EPERM);
}

int main(void)
{
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(s >= 0);
    test_loopback();
    test_errors();
    test_fresh();
    return check_done();
}
