/* uname, sysinfo, getrandom, host name, getcpu. */
#include "check.h"
#include <sched.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static int names(void)
{
    struct utsname u;
    CHECK(unshare(CLONE_NEWUTS) == 0);
    CHECK(sethostname("other", 5) == 0 && uname(&u) == 0 && strcmp(u.nodename, "other") == 0);
    CHECK(setdomainname("domain", 6) == 0 && uname(&u) == 0 && strcmp(u.domainname, "domain") == 0);
    char long_name[66] = "x";
    CHECK_ERR(sethostname(long_name, 65), EINVAL);
    CHECK_ERR(syscall(SYS_sethostname, "x", -1), EINVAL);
    CHECK(setuid(1000) == 0);
    CHECK_ERR(sethostname("x", 1), EPERM);
    return 0;
}

int main(void)
{
    struct utsname u, after;
    struct sysinfo s;
    unsigned char a[1000], b[1000];
    CHECK(uname(&u) == 0 && strcmp(u.sysname, "Linux") == 0 && strcmp(u.machine, "x86_64") == 0 &&
          u.nodename[0]);
    CHECK_ERR(syscall(SYS_uname, 8), EFAULT);
    if (getuid() == 0)
        exits_with(child(names), 0);
    CHECK(uname(&after) == 0 &&
          strcmp(after.nodename, u.nodename) == 0); /* its own namespace only */
    CHECK(sysinfo(&s) == 0 && s.totalram > 0 && s.freeram <= s.totalram && s.procs >= 1 &&
          s.mem_unit >= 1 && s.uptime > 0);
    memset(a, 0, sizeof(a));
    memset(b, 0, sizeof(b));
    CHECK(getrandom(a, sizeof(a), 0) == sizeof(a) &&
          getrandom(b, sizeof(b), GRND_NONBLOCK) == sizeof(b));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    CHECK(getrandom(a, 0, 0) == 0);
    CHECK_ERR(getrandom(a, 1, 0x100), EINVAL);
    CHECK_ERR(syscall(SYS_getrandom, 8, 100, 0), EFAULT);
    unsigned cpu = 9999, node = 9999;
    CHECK(syscall(SYS_getcpu, &cpu, &node, NULL) == 0 && cpu < 9999 && node < 9999);
    return 0;
}
