/* prctl: name, death signal, dumpable, subreaper, timer slack, no_new_privs, unknown options;
 * arch_prctl; personality. */
#include "check.h"
#include <asm/prctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>

int main(void)
{
    char name[17] = "";
    int v = -1;
    CHECK(prctl(PR_SET_NAME, "a-name-longer-than-fifteen") == 0 && prctl(PR_GET_NAME, name) == 0);
    CHECK(strcmp(name, "a-name-longer-t") == 0);
    CHECK_ERR(prctl(PR_SET_NAME, 8), EFAULT);
    CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0 && prctl(PR_GET_PDEATHSIG, &v) == 0 && v == SIGUSR1);
    CHECK_ERR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_GET_PDEATHSIG, &v);
        _exit(v);
    }
    exits_with(pid, 0); /* not inherited */
    CHECK(prctl(PR_GET_DUMPABLE) == 1 && prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    CHECK_ERR(prctl(PR_SET_DUMPABLE, 2), EINVAL);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && prctl(PR_GET_CHILD_SUBREAPER, &v) == 0 && v == 1);
    CHECK(prctl(PR_SET_TIMERSLACK, 12345) == 0 && prctl(PR_GET_TIMERSLACK) == 12345);
    CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHECK(prctl(PR_GET_SECCOMP) == 0);
    CHECK_ERR(prctl(9999), EINVAL);

    unsigned long base = 0;
    CHECK(syscall(SYS_arch_prctl, ARCH_GET_FS, &base) == 0 && base != 0);
    CHECK(*(unsigned long *)base == base); /* the thread control block begins with its own address */
    CHECK_ERR(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
    CHECK_ERR(syscall(SYS_arch_prctl, ARCH_SET_FS, 0xffff800000000000), EPERM);
    CHECK_ERR(syscall(SYS_arch_prctl, ARCH_GET_FS, 8), EFAULT);
    int old = personality(0xffffffff);
    CHECK(personality(ADDR_NO_RANDOMIZE) == old && personality(0xffffffff) == ADDR_NO_RANDOMIZE);
    return 0;
}
