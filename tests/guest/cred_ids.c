/* setuid and its family, as root and as an ordinary user; each in a child of its own. */
#include "check.h"
#include <grp.h>
#include <sys/fsuid.h>

static void ids(uid_t r, uid_t e, uid_t s)
{
    uid_t a, b, c;
    CHECK(getresuid(&a, &b, &c) == 0 && a == r && b == e && c == s);
    CHECK(getuid() == r && geteuid() == e);
}

static int root_drops(void)
{
    CHECK(seteuid(1000) == 0);
    ids(0, 1000, 0);
    CHECK_ERR(setuid(1001), EPERM);
    CHECK(seteuid(0) == 0);
    ids(0, 0, 0);
    CHECK(setuid(1000) == 0);
    ids(1000, 1000, 1000);
    CHECK_ERR(seteuid(0), EPERM);
    CHECK_ERR(setuid(0), EPERM);
    CHECK_ERR(setgid(0xfffe), EPERM);
    CHECK_ERR(setgroups(0, NULL), EPERM);
    CHECK(setuid(1000) == 0);
    return 0;
}

static int three(void)
{
    CHECK(setresuid(10, 20, 30) == 0);
    ids(10, 20, 30);
    CHECK(setresuid(-1, 30, -1) == 0);
    ids(10, 30, 30);
    CHECK_ERR(setresuid(-1, 40, -1), EPERM);
    CHECK(setreuid(30, 10) == 0);
    ids(30, 10, 10);
    CHECK_ERR(setresuid(5, -1, -1), EPERM);
    return 0;
}

static int groups(void)
{
    gid_t set[3] = {30, 10, 20}, got[4], r, e, s;
    CHECK(setgroups(3, set) == 0);
    CHECK(getgroups(0, NULL) == 3);
    CHECK_ERR(getgroups(2, got), EINVAL);
    CHECK(getgroups(4, got) == 3 && got[0] == 10 && got[1] == 20 && got[2] == 30);
    CHECK_ERR(setgroups(65537, set), EINVAL);
    CHECK(setresgid(1, 2, 3) == 0 && getresgid(&r, &e, &s) == 0 && r == 1 && e == 2 && s == 3);
    CHECK(setregid(3, 1) == 0 && getresgid(&r, &e, &s) == 0 && r == 3 && e == 1 && s == 1);
    CHECK(setgroups(0, NULL) == 0 && getgroups(4, got) == 0);
    return 0;
}

static int fsids(void)
{
    CHECK(setfsuid(77) == 0);
    CHECK(setfsuid((uid_t)-1) == 77);
    CHECK(setfsuid(0) == 77);
    CHECK(setfsgid(78) == 0);
    CHECK(setfsgid((gid_t)-1) == 78);
    CHECK(setuid(1000) == 0 && setfsuid(55) == 1000);
    CHECK(setfsuid((uid_t)-1) == 1000); /* refused */
    return 0;
}

static int child_inherits(void)
{
    CHECK(setresgid(5, 6, 7) == 0 && setresuid(8, 9, 10) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        ids(8, 9, 10);
        _exit(0);
    }
    exits_with(pid, 0);
    return 0;
}

static int signals_between_users(void)
{
    pid_t root = getppid();
    CHECK(setuid(1000) == 0);
    CHECK_ERR(kill(root, 0), EPERM);
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    CHECK(kill(pid, SIGTERM) == 0);
    dies_by(pid, SIGTERM);
    return 0;
}

int main(void)
{
    CHECK(setuid((uid_t)-1) == -1 && errno == EINVAL);
    if (getuid() != 0)
        return 0;
    exits_with(child(root_drops), 0);
    exits_with(child(three), 0);
    exits_with(child(groups), 0);
    exits_with(child(fsids), 0);
    exits_with(child(child_inherits), 0);
    exits_with(child(signals_between_users), 0);
    return 0;
}
