/* seccomp(2): what is refused, and with which error; TSYNC; /proc/PID/status. */
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>

#define RET(action) BPF_STMT(BPF_RET | BPF_K, action)
#define LOAD_NR BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

static long seccomp(unsigned op, unsigned flags, void *args)
{
    return syscall(SYS_seccomp, op, flags, args);
}

static int try(struct sock_filter *f, unsigned short n)
{
    struct sock_fprog prog = {n, f};
    return (int)seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog);
}
#define BAD(...)                                                  \
    do {                                                          \
        struct sock_filter f_[] = {__VA_ARGS__};                  \
        CHECK_ERR(try(f_, sizeof(f_) / sizeof(*f_)), EINVAL);     \
    } while (0)
#define GOOD(...)                                                 \
    do {                                                          \
        struct sock_filter f_[] = {__VA_ARGS__};                  \
        CHECK(try(f_, sizeof(f_) / sizeof(*f_)) == 0);            \
    } while (0)
#define S(code, k) BPF_STMT(code, k)
#define OK RET(SECCOMP_RET_ALLOW)

static int programs(void)
{
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    BAD(S(BPF_LD | BPF_W | BPF_ABS, 0));                            /* no return */
    BAD(S(BPF_LD | BPF_W | BPF_ABS, 64), OK);                       /* beyond the data */
    BAD(S(BPF_LD | BPF_W | BPF_ABS, 2), OK);                        /* not aligned */
    BAD(S(BPF_LD | BPF_H | BPF_ABS, 0), OK);                        /* not a word */
    BAD(S(BPF_LD | BPF_B | BPF_ABS, 0), OK);
    BAD(S(BPF_LD | BPF_W | BPF_IND, 0), OK);
    BAD(S(BPF_LDX | BPF_B | BPF_MSH, 0), OK);
    BAD(S(BPF_ALU | BPF_MOD | BPF_K, 3), OK);
    BAD(S(BPF_ALU | BPF_DIV | BPF_K, 0), OK);
    BAD(S(BPF_ALU | BPF_LSH | BPF_K, 32), OK);
    BAD(S(BPF_LD | BPF_MEM, 0), OK);                                /* not written before */
    BAD(S(BPF_ST, 16), OK);
    BAD(BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), OK);
    BAD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), OK);
    BAD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), OK);
    BAD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), S(BPF_ST, 1), S(BPF_LD | BPF_MEM, 1), OK);
    BAD(S(BPF_RET | BPF_X, 0));
    BAD(S(0xffff, 0), OK);
    GOOD(S(BPF_LD | BPF_IMM, 7), S(BPF_ST, 3), S(BPF_LDX | BPF_MEM, 3), S(BPF_ALU | BPF_ADD | BPF_X, 0),
         S(BPF_ALU | BPF_MUL | BPF_K, 3), S(BPF_ALU | BPF_DIV | BPF_K, 2), S(BPF_ALU | BPF_SUB | BPF_K, 1),
         S(BPF_ALU | BPF_NEG, 0), S(BPF_ALU | BPF_LSH | BPF_K, 31), S(BPF_MISC | BPF_TAX, 0),
         S(BPF_LD | BPF_W | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 64, 1, 0),
         RET(SECCOMP_RET_KILL_PROCESS), S(BPF_MISC | BPF_TXA, 0), OK);
    GOOD(S(BPF_LD | BPF_IMM, SECCOMP_RET_ALLOW), S(BPF_RET | BPF_A, 0));
    struct sock_fprog prog = {0, NULL};
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog), EINVAL);
    prog.len = 1;
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog), EINVAL);
    prog.filter = (void *)8;
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog), EFAULT);
    prog.len = 4097;
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_FILTER, 0, &prog), EINVAL);
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
    return 0;
}

static int division_by_zero_kills(void)
{
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    GOOD(LOAD_NR, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 2), S(BPF_LDX | BPF_IMM, 0),
         S(BPF_ALU | BPF_DIV | BPF_X, 0), OK); /* the result is 0: KILL_THREAD */
    syscall(SYS_getppid);
    return 0;
}

static int too_much(void)
{
    static struct sock_filter f[4096];
    for (int i = 0; i < 4096; i++)
        f[i] = (struct sock_filter)OK;
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    int n = 0;
    while (try(f, 4096) == 0) /* Linux counts what it has translated them to */
        n++;
    CHECK(errno == ENOMEM && n >= 3 && n <= 7);
    return 0;
}

static int flags(void)
{
    struct sock_filter f[] = {OK};
    struct sock_fprog prog = {1, f};
    struct seccomp_notif_sizes sizes;
    uint32_t action = SECCOMP_RET_USER_NOTIF;
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK_ERR(seccomp(99, 0, NULL), EINVAL);
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_STRICT, 0, &prog), EINVAL);
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_FILTER, 1u << 20, &prog), EINVAL);
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog),
              EINVAL);
    CHECK_ERR(seccomp(SECCOMP_SET_MODE_FILTER, 32 /* WAIT_KILLABLE_RECV */, &prog), EINVAL);
    CHECK(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0);
    action = 0x12340000;
    CHECK_ERR(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action), EOPNOTSUPP);
    CHECK_ERR(seccomp(SECCOMP_GET_ACTION_AVAIL, 1, &action), EINVAL);
    CHECK_ERR(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, NULL), EFAULT);
    CHECK(seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0);
    CHECK(sizes.seccomp_notif == 80 && sizes.seccomp_notif_resp == 24 && sizes.seccomp_data == 64);
    CHECK_ERR(seccomp(SECCOMP_GET_NOTIF_SIZES, 1, &sizes), EINVAL);
    CHECK_ERR(prctl(PR_SET_SECCOMP, 0), EINVAL);
    CHECK_ERR(prctl(PR_SET_SECCOMP, 3), EINVAL);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
    CHECK_ERR(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
    CHECK(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) == 0);
    return 0;
}

static int needs_privilege(void)
{
    struct sock_filter f[] = {OK};
    CHECK(setresuid(1234, 1234, 1234) == 0);
    CHECK_ERR(try(f, 1), EACCES);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(try(f, 1) == 0);
    return 0;
}

/* The number behind a name in /proc/PID/status. */
static int status_of(const char *path, const char *name)
{
    char line[256];
    int value = -1;
    FILE *f = fopen(path, "r");
    CHECK(f);
    while (fgets(line, sizeof(line), f))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            value = atoi(line + strlen(name) + 1);
    fclose(f);
    return value;
}

static int in_proc(void)
{
    struct sock_filter f[] = {OK};
    CHECK(status_of("/proc/self/status", "Seccomp") == 0);
    CHECK(status_of("/proc/self/status", "Seccomp_filters") == 0);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(try(f, 1) == 0 && try(f, 1) == 0);
    CHECK(status_of("/proc/self/status", "Seccomp") == 2);
    CHECK(status_of("/proc/self/status", "Seccomp_filters") == 2);
    CHECK(status_of("/proc/self/status", "NoNewPrivs") == 1);
    return 0;
}

static pthread_barrier_t barrier;
static volatile pid_t diverged;

static void *sibling(void *arg)
{
    struct sock_filter f[] = {OK};
    if (arg) {
        diverged = (pid_t)syscall(SYS_gettid);
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(try(f, 1) == 0);
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    if (!arg) {
        CHECK_ERR(syscall(SYS_getppid), 21);
        CHECK_ERR(syscall(SYS_getpid), 21);
        CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    }
    return NULL;
}

static int synchronise(void *how)
{
    struct sock_filter f[] = {LOAD_NR, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 2, 0),
                              BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 1, 0), OK,
                              RET(SECCOMP_RET_ERRNO | 21)};
    struct sock_fprog prog = {5, f};
    pthread_t t;
    pthread_barrier_init(&barrier, NULL, 2);
    CHECK(pthread_create(&t, NULL, sibling, how) == 0);
    pthread_barrier_wait(&barrier);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (how) {
        CHECK(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == diverged);
        CHECK_ERR(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, &prog),
                  ESRCH);
        CHECK(prctl(PR_GET_SECCOMP) == 0);
    } else {
        CHECK(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0);
    }
    pthread_barrier_wait(&barrier);
    CHECK(pthread_join(t, NULL) == 0);
    return 0;
}

static int tsync(void)
{
    return synchronise(NULL);
}

static int tsync_fails(void)
{
    return synchronise((void *)1);
}

int main(void)
{
    exits_with(child(programs), 0);
    dies_by(child(division_by_zero_kills), SIGSYS);
    exits_with(child(too_much), 0);
    exits_with(child(flags), 0);
    exits_with(child(needs_privilege), 0);
    exits_with(child(in_proc), 0);
    exits_with(child(tsync), 0);
    exits_with(child(tsync_fails), 0);
    return 0;
}
