/* mq_open(3) and its family: results and errors, priorities, waiting, notification, the file system. */
#include "each.h"
#include <dirent.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#define NAME "/picket-mq"

static struct timespec in_ms(long ms)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_nsec += ms * 1000000;
    ts.tv_sec += ts.tv_nsec / 1000000000;
    ts.tv_nsec %= 1000000000;
    return ts;
}

static void opening(void)
{
    struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 16};
    char longest[300];
    mq_unlink(NAME);
    FAILS(mq_open(NAME, O_RDWR), ENOENT);
    mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0640, &a);
    HOLDS(q >= 0);
    IS(fcntl(q, F_GETFD), FD_CLOEXEC);
    FAILS(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &a), EEXIST);
    FAILS(syscall(SYS_mq_open, NAME, O_RDWR, 0, 0), EACCES); /* the C library takes the slash away */
    FAILS(syscall(SYS_mq_open, "a/b", O_RDWR | O_CREAT, 0600, 0), EACCES);
    FAILS(syscall(SYS_mq_open, "..", O_RDWR, 0, 0), EACCES);
    FAILS(syscall(SYS_mq_open, ".", O_RDWR, 0, 0), EACCES);
    FAILS(syscall(SYS_mq_open, "", O_RDWR, 0, 0), ENOENT);
    FAILS(syscall(SYS_mq_open, 8, O_RDWR, 0, 0), EFAULT);
    FAILS(syscall(SYS_mq_open, NAME + 1, O_RDWR | O_CREAT, 0600, 8), EFAULT);
    FAILS(syscall(SYS_mq_open, NAME + 1, 3, 0, 0), EINVAL);
    memset(longest, 'x', sizeof(longest));
    longest[299] = 0;
    FAILS(syscall(SYS_mq_open, longest, O_RDWR, 0, 0), ENAMETOOLONG);
    FAILS(syscall(SYS_mq_unlink, longest), ENAMETOOLONG);
    a = (struct mq_attr){.mq_maxmsg = 0, .mq_msgsize = 16};
    FAILS(mq_open("/picket-mq2", O_RDWR | O_CREAT, 0600, &a), EINVAL);
    a = (struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 0};
    FAILS(mq_open("/picket-mq2", O_RDWR | O_CREAT, 0600, &a), EINVAL);
    a = (struct mq_attr){.mq_maxmsg = 65537, .mq_msgsize = 1};
    FAILS(mq_open("/picket-mq2", O_RDWR | O_CREAT, 0600, &a), EINVAL);
    a = (struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = (16 << 20) + 1};
    FAILS(mq_open("/picket-mq2", O_RDWR | O_CREAT, 0600, &a), EINVAL);
    a = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 8192};
    struct rlimit old, small = {0, 0};
    getrlimit(RLIMIT_MSGQUEUE, &old);
    small.rlim_max = old.rlim_max;
    small.rlim_cur = 10 * 8192;
    IS(setrlimit(RLIMIT_MSGQUEUE, &small), 0);
    FAILS(mq_open("/picket-mq2", O_RDWR | O_CREAT, 0600, &a), EMFILE);
    IS(setrlimit(RLIMIT_MSGQUEUE, &old), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setgid(65533) == 0 && setuid(65533) == 0);
        FAILS(mq_open(NAME, O_RDONLY), EACCES);
        FAILS(mq_open(NAME, O_WRONLY), EACCES);
        FAILS(mq_unlink(NAME), EACCES + 0 * EPERM);
        a = (struct mq_attr){.mq_maxmsg = 11, .mq_msgsize = 16};
        FAILS(mq_open("/picket-mq2", O_RDWR | O_CREAT, 0600, &a), EINVAL);
        a = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 8193};
        FAILS(mq_open("/picket-mq2", O_RDWR | O_CREAT, 0600, &a), EINVAL);
        _exit(each_failed());
    }
    exits_with(pid, 0);
    struct stat st;
    IS(fstat(q, &st), 0);
    IS(st.st_mode, S_IFREG | 0640);
    IS(st.st_size, 80);
    IS(mq_unlink(NAME), 0);
    FAILS(mq_unlink(NAME), ENOENT);
    IS(mq_close(q), 0);
    q = mq_open(NAME, O_RDWR | O_CREAT, 0600, NULL);
    IS(mq_getattr(q, &a), 0);
    IS(a.mq_maxmsg, 10);
    IS(a.mq_msgsize, 8192);
    IS(mq_close(q), 0);
    IS(mq_unlink(NAME), 0);
}

static void messages(void)
{
    struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 16}, old;
    char buf[64];
    unsigned prio;
    mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, &a);
    IS(mq_send(q, "low", 3, 1), 0);
    IS(mq_send(q, "high", 4, 32767), 0);
    IS(mq_send(q, "high2", 5, 32767), 0);
    IS(mq_send(q, "", 0, 0), 0);
    IS(mq_getattr(q, &old), 0);
    IS(old.mq_curmsgs, 4);
    IS(old.mq_flags, 0);
    FAILS(mq_send(q, "x", 1, 32768), EINVAL);
    FAILS(mq_send(q, buf, 17, 0), EMSGSIZE);
    FAILS(mq_send(q, (void *)8, 1, 0), EFAULT);
    FAILS(mq_receive(q, buf, 15, NULL), EMSGSIZE);
    FAILS(mq_send(-1, buf, 1, 0), EBADF);
    FAILS(mq_send(1, buf, 1, 0), EBADF);
    FAILS(mq_receive(-1, buf, 16, NULL), EBADF);
    FAILS(mq_getattr(0, &old), EBADF);
    struct timespec past = {1, 0}, soon = in_ms(60), bad = {0, 1000000000}, negative = {-1, 0};
    FAILS(mq_timedsend(q, "x", 1, 0, &past), ETIMEDOUT);
    FAILS(mq_timedsend(q, "x", 1, 0, &bad), EINVAL);
    FAILS(mq_timedsend(q, "x", 1, 0, &negative), EINVAL);
    FAILS(mq_timedsend(q, "x", 1, 0, (void *)8), EFAULT);
    int64_t start = clock_ms(CLOCK_MONOTONIC);
    FAILS(mq_timedsend(q, "x", 1, 0, &soon), ETIMEDOUT);
    HOLDS(clock_ms(CLOCK_MONOTONIC) - start >= 40);
    a.mq_flags = O_NONBLOCK;
    IS(mq_setattr(q, &a, &old), 0);
    IS(old.mq_flags, 0);
    IS(fcntl(q, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    FAILS(mq_send(q, "x", 1, 0), EAGAIN);
    a.mq_flags = O_APPEND;
    FAILS(mq_setattr(q, &a, NULL), EINVAL);
    struct pollfd p = {q, POLLIN | POLLOUT, 0};
    IS(poll(&p, 1, 0), 1);
    IS(p.revents, POLLIN);
    IS(mq_receive(q, buf, 64, &prio), 4);
    IS(memcmp(buf, "high", 4), 0);
    IS(prio, 32767);
    IS(poll(&p, 1, 0), 1);
    IS(p.revents, POLLIN | POLLOUT);
    IS(mq_receive(q, buf, 64, &prio), 5);
    IS(mq_receive(q, buf, 64, &prio), 3);
    IS(mq_receive(q, buf, 64, &prio), 0);
    IS(prio, 0);
    FAILS(mq_receive(q, buf, 64, &prio), EAGAIN);
    IS(poll(&p, 1, 0), 1);
    IS(p.revents, POLLOUT);
    mqd_t ro = mq_open(NAME, O_RDONLY), wo = mq_open(NAME, O_WRONLY | O_NONBLOCK);
    FAILS(mq_send(ro, "x", 1, 0), EBADF);
    FAILS(mq_receive(wo, buf, 64, NULL), EBADF);
    soon = in_ms(60);
    FAILS(mq_timedreceive(ro, buf, 64, NULL, &soon), ETIMEDOUT);
    FAILS(write(q, "x", 1), EINVAL);
    IS(read(ro, buf, 64), 60);
    buf[60] = 0;
    IS(strcmp(buf, "QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n"), 0);
    mq_close(ro);
    mq_close(wo);
    mq_close(q);
    mq_unlink(NAME);
}

static volatile int caught;
static siginfo_t last;

static void on_signal(int sig, siginfo_t *info, void *ctx)
{
    caught++;
    last = *info;
}

static int receive_one(void)
{
    char buf[16];
    mqd_t q = mq_open(NAME, O_RDONLY);
    return mq_receive(q, buf, 16, NULL) == 5 ? 0 : 1;
}

static int receive_interrupted(void)
{
    char buf[16];
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR2, &sa, NULL);
    mqd_t q = mq_open(NAME, O_RDONLY);
    return mq_receive(q, buf, 16, NULL) == -1 && errno == EINTR ? 0 : 1;
}

static int send_one(void)
{
    mqd_t q = mq_open(NAME, O_WRONLY);
    return mq_send(q, "there", 5, 7);
}

static void waiting(void)
{
    struct mq_attr a = {.mq_maxmsg = 1, .mq_msgsize = 16};
    char buf[16];
    unsigned prio;
    mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, &a);
    pid_t one = child(receive_one), two = child(receive_one);
    sleep_ms(50);
    IS(mq_send(q, "hello", 5, 0), 0);
    IS(mq_send(q, "hello", 5, 0), 0);
    exits_with(one, 0);
    exits_with(two, 0);
    one = child(receive_interrupted);
    sleep_ms(50);
    kill(one, SIGUSR2);
    exits_with(one, 0);
    IS(mq_send(q, "first", 5, 0), 0);
    one = child(send_one);
    sleep_ms(50);
    IS(mq_receive(q, buf, 16, &prio), 5);
    IS(memcmp(buf, "first", 5), 0);
    exits_with(one, 0);
    IS(mq_receive(q, buf, 16, &prio), 5);
    IS(memcmp(buf, "there", 5), 0);
    IS(prio, 7);
    mq_close(q);
    mq_unlink(NAME);
}

static void notification(void)
{
    struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 16};
    char buf[128];
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &sa, NULL);
    mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, &a);
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
    IS(mq_notify(q, &ev), 0);
    FAILS(mq_notify(q, &ev), EBUSY);
    IS(read(q, buf, sizeof(buf)), 60 + snprintf(NULL, 0, "%-6d", getpid()) - 6);
    char want[100];
    snprintf(want, sizeof(want), "QSIZE:0          NOTIFY:0     SIGNO:%-5d NOTIFY_PID:%-6d\n", SIGUSR1, getpid());
    IS(memcmp(buf, want, strlen(want)), 0);
    IS(mq_send(q, "x", 1, 0), 0);
    IS(caught, 1);
    IS(last.si_code, SI_MESGQ);
    IS(last.si_value.sival_int, 77);
    IS(last.si_pid, getpid());
    IS(mq_notify(q, &ev), 0); /* asked again: not empty */
    IS(mq_send(q, "x", 1, 0), 0);
    IS(caught, 1);
    mq_receive(q, buf, 16, NULL);
    mq_receive(q, buf, 16, NULL);
    IS(mq_send(q, "x", 1, 0), 0);
    IS(caught, 2);
    IS(mq_notify(q, NULL), 0);
    ev.sigev_notify = SIGEV_NONE;
    IS(mq_notify(q, &ev), 0);
    FAILS(mq_notify(q, &ev), EBUSY);
    mqd_t other = mq_open(NAME, O_RDWR);
    IS(mq_close(other), 0); /* takes the process's notification away */
    IS(mq_notify(q, &ev), 0);
    IS(mq_notify(q, NULL), 0);
    ev.sigev_notify = 99;
    FAILS(mq_notify(q, &ev), EINVAL);
    ev.sigev_notify = SIGEV_SIGNAL;
    ev.sigev_signo = 65;
    FAILS(mq_notify(q, &ev), EINVAL);
    FAILS(syscall(SYS_mq_notify, q, 8), EFAULT);
    FAILS(mq_notify(0, NULL), EBADF);
    mq_close(q);
    mq_unlink(NAME);
}

static volatile int told;
static pthread_t teller;

static void on_message(union sigval v)
{
    teller = pthread_self();
    told = v.sival_int;
}

static void threads(void)
{
    struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 16};
    mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, &a);
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 55};
    ev.sigev_notify_function = on_message;
    IS(mq_notify(q, &ev), 0);
    FAILS(mq_notify(q, &ev), EBUSY);
    IS(mq_send(q, "x", 1, 0), 0);
    for (int i = 0; i < 500 && !told; i++)
        sleep_ms(4);
    IS(told, 55);
    HOLDS(!pthread_equal(teller, pthread_self()));
    char buf[16];
    mq_receive(q, buf, 16, NULL);
    IS(mq_notify(q, &ev), 0);
    IS(mq_notify(q, NULL), 0);
    IS(mq_notify(q, &ev), 0);
    struct sigevent raw = {.sigev_notify = SIGEV_THREAD, .sigev_signo = 1, .sigev_value.sival_ptr = buf};
    mqd_t other = mq_open(NAME, O_RDWR);
    mq_close(other);
    char cookie[32] = "";
    raw.sigev_value.sival_ptr = cookie;
    raw.sigev_signo = -1;
    FAILS(syscall(SYS_mq_notify, q, &raw), EBADF);
    raw.sigev_signo = open("/dev/null", O_RDONLY);
    FAILS(syscall(SYS_mq_notify, q, &raw), ENOTSOCK);
    raw.sigev_value.sival_ptr = (void *)8;
    FAILS(syscall(SYS_mq_notify, q, &raw), EFAULT);
    mq_close(q);
    mq_unlink(NAME);
}

static void file_system(void)
{
    struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 16};
    struct statfs fs;
    struct stat st;
    char buf[128];
    if (mkdir("mq", 0755) || mount("none", "mq", "mqueue", 0, NULL))
        return; /* natively it takes more than root */
    mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0600, &a);
    IS(statfs("mq", &fs), 0);
    IS(fs.f_type, 0x19800202);
    IS(stat("mq", &st), 0);
    IS(st.st_mode, S_IFDIR | 01777);
    IS(stat("mq" NAME, &st), 0);
    IS(st.st_mode, S_IFREG | 0600);
    IS(mq_send(q, "hello", 5, 0), 0);
    int fd = open("mq" NAME, O_RDONLY);
    IS(read(fd, buf, 128), 60);
    IS(memcmp(buf, "QSIZE:5          NOTIFY:0", 25), 0);
    IS(read(fd, buf, 128), 0);
    IS(mq_receive(fd, buf, 16, NULL), 5);
    close(fd);
    DIR *d = opendir("mq");
    int found = 0;
    for (struct dirent *e; (e = readdir(d));)
        found += !strcmp(e->d_name, NAME + 1);
    closedir(d);
    IS(found, 1);
    FAILS(mkdir("mq/dir", 0700), EPERM);
    fd = open("mq/made", O_RDWR | O_CREAT, 0600);
    HOLDS(fd >= 0);
    IS(mq_getattr(fd, &a), 0);
    IS(a.mq_maxmsg, 10);
    close(fd);
    IS(unlink("mq/made"), 0);
    IS(unlink("mq" NAME), 0);
    FAILS(mq_open(NAME, O_RDWR), ENOENT);
    mq_close(q);
    umount("mq");
}

int main(void)
{
    opening();
    messages();
    waiting();
    notification();
    threads();
    file_system();
    return each_failed();
}
