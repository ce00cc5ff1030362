/* capget and capset, their effects under setuid, the bounding set, ambient capabilities, securebits. */
#include "check.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

static struct __user_cap_data_struct data[2];

static void get(void)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    CHECK(syscall(SYS_capget, &h, data) == 0);
}

static int set(void)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    return (int)syscall(SYS_capset, &h, data);
}

static int effective(int cap)
{
    get();
    return data[cap / 32].effective >> (cap % 32) & 1;
}

static int drops(void)
{
    get();
    data[0].effective &= ~(1u << CAP_KILL);
    CHECK(set() == 0 && !effective(CAP_KILL));
    data[0].effective |= 1u << CAP_KILL;
    CHECK(set() == 0 && effective(CAP_KILL));
    data[0].effective &= ~(1u << CAP_KILL);
    data[0].permitted &= ~(1u << CAP_KILL);
    CHECK(set() == 0);
    data[0].permitted |= 1u << CAP_KILL;
    CHECK(set() == -1 && errno == EPERM);
    return 0;
}

static int with_setuid(void)
{
    CHECK(effective(CAP_CHOWN));
    CHECK(seteuid(1000) == 0 && !effective(CAP_CHOWN) && data[0].permitted & 1);
    CHECK(seteuid(0) == 0 && effective(CAP_CHOWN));
    CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1);
    CHECK(setuid(1000) == 0 && !effective(CAP_CHOWN) && data[0].permitted & 1);
    data[0].effective = 1;
    CHECK(set() == 0 && effective(CAP_CHOWN));
    return 0;
}

static int without_keeping(void)
{
    CHECK(setuid(1000) == 0 && !effective(CAP_CHOWN) && !(data[0].permitted & 1));
    return 0;
}

static int bounding(void)
{
    CHECK(prctl(PR_CAPBSET_READ, CAP_CHOWN) == 1);
    CHECK(prctl(PR_CAPBSET_DROP, CAP_CHOWN) == 0 && prctl(PR_CAPBSET_READ, CAP_CHOWN) == 0);
    CHECK_ERR(prctl(PR_CAPBSET_READ, 200), EINVAL);
    CHECK(setuid(1000) == 0);
    CHECK_ERR(prctl(PR_CAPBSET_DROP, CAP_KILL), EPERM);
    return 0;
}

static int ambient(void)
{
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0) == 0);
    CHECK_ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM); /* not inheritable */
    get();
    data[0].inheritable |= 1u << CAP_CHOWN;
    CHECK(set() == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0) == 1);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0) == 0);
    return 0;
}

static int securebits(void)
{
    CHECK(prctl(PR_GET_SECUREBITS) == 0);
    CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED) == 0);
    CHECK_ERR(prctl(PR_SET_SECUREBITS, 0), EPERM);
    CHECK(setuid(1000) == 0 && effective(CAP_CHOWN)); /* nothing is fixed up */
    return 0;
}

int main(void)
{
    struct __user_cap_header_struct h = {0x12345, 0};
    CHECK(syscall(SYS_capget, &h, NULL) == 0 && h.version == _LINUX_CAPABILITY_VERSION_3);
    h.version = 0x12345;
    CHECK(syscall(SYS_capget, &h, data) == -1 && errno == EINVAL);
    h.pid = -1;
    CHECK(syscall(SYS_capget, &h, data) == -1 && errno == EINVAL);
    if (getuid() != 0)
        return 0;
    exits_with(child(drops), 0);
    exits_with(child(with_setuid), 0);
    exits_with(child(without_keeping), 0);
    exits_with(child(bounding), 0);
    exits_with(child(ambient), 0);
    exits_with(child(securebits), 0);
    return 0;
}
