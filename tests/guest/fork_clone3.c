/* clone3: argument checks, a child with its own stack pointer absent, a pidfd. */
#include "check.h"
#include <linux/sched.h>
#include <poll.h>

static long clone3(struct clone_args *args, size_t size)
{
    return syscall(SYS_clone3, args, size);
}

int main(void)
{
    struct clone_args args;
    memset(&args, 0, sizeof(args));
    CHECK_ERR(clone3(&args, 8), EINVAL);
    CHECK_ERR(clone3(NULL, sizeof(args)), EFAULT);
    args.exit_signal = 200;
    CHECK_ERR(clone3(&args, sizeof(args)), EINVAL);
    args.exit_signal = SIGCHLD;
    args.stack = 0x1000; /* without a size */
    CHECK_ERR(clone3(&args, sizeof(args)), EINVAL);
    args.stack = 0;
    args.flags = 0xff; /* a signal number belongs elsewhere */
    CHECK_ERR(clone3(&args, sizeof(args)), EINVAL);

    /* Bytes beyond what the kernel knows must be zero. */
    struct {
        struct clone_args args;
        char more[64];
    } big;
    memset(&big, 0, sizeof(big));
    big.more[40] = 1;
    CHECK_ERR(clone3(&big.args, sizeof(big)), E2BIG);

    int pidfd = -1;
    args.flags = CLONE_PIDFD;
    args.pidfd = (uintptr_t)&pidfd;
    long pid = clone3(&args, sizeof(args));
    if (pid == 0) {
        sleep_ms(50);
        _exit(4);
    }
    CHECK(pid > 0 && pidfd >= 0);
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    CHECK(poll(&p, 1, 5000) == 1 && p.revents & POLLIN);
    exits_with((pid_t)pid, 4);
    return 0;
}
