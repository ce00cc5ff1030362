/*
 * Two plain threads that sleep in the host until something concerns stubs as host processes: one
 * reaps those that died, the other answers the notifications that the stubs' seccomp filter makes
 * of every fork.
 *
 * A fork is let through if the kernel has ordered it for exactly that thread, and once for each
 * order.
 */
#include "base/log.h"
#include "platform/internal.h"
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t template_pid;

static struct {
    struct spinlock lock;
    pid_t *tids;
    unsigned count, cap;
} expected;

void fork_expect(pid_t tid)
{
    spin_lock(&expected.lock);
    if (expected.count == expected.cap) {
        unsigned cap = expected.cap ? expected.cap * 2 : 64;
        pid_t *grown = realloc(expected.tids, cap * sizeof(*grown));
        if (grown) {
            expected.tids = grown;
            expected.cap = cap;
        }
    }
    if (expected.count <
        expected.cap) /* else the fork is refused, as for want of memory it should */
        expected.tids[expected.count++] = tid;
    spin_unlock(&expected.lock);
}

static bool take_expected(pid_t tid)
{
    bool found = false;

    spin_lock(&expected.lock);
    for (unsigned i = 0; i < expected.count && !found; i++) {
        if (expected.tids[i] == tid) {
            expected.tids[i] = expected.tids[--expected.count];
            found = true;
        }
    }
    spin_unlock(&expected.lock);
    return found;
}

void fork_unexpect(pid_t tid)
{
    (void)take_expected(tid);
}

static void answer_one(int listener)
{
    struct seccomp_notif request = {0};
    struct seccomp_notif_resp response = {0};

    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
        return; /* the caller has died, or a signal came */
    response.id = request.id;
    if (take_expected((pid_t)request.pid))
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else
        response.error = -EPERM;
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void *notify_main(void *arg)
{
    for (;;)
        answer_one((int)(intptr_t)arg);
    return NULL;
}

/* Without it there are no new processes: the sandbox cannot go on. Everything in it dies with this
 * process. */
static _Noreturn void template_died(void)
{
    log_error("platform: the template stub was killed");
    kill(getpid(), SIGKILL);
    _exit(EXIT_FAILURE);
}

static void *reaper_main(void *arg)
{
    for (;;) {
        siginfo_t info = {0};
        int ret = waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | __WALL);
        if (ret < 0 && errno == EINTR)
            continue;
        if (ret < 0)
            return NULL; /* no children: even the template has gone */
        if (info.si_pid == template_pid)
            template_died();
        space_died(info.si_pid);
        (void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | __WALL);
    }
    return NULL;
}

static int start_thread(void *(*fn)(void *), void *arg)
{
    pthread_attr_t attr;
    pthread_t thread;
    int err;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 * 1024);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    err = -pthread_create(&thread, &attr, fn, arg);
    pthread_attr_destroy(&attr);
    return err;
}

int reaper_start(int listener, pid_t template)
{
    int err;

    template_pid = template;
    err = start_thread(reaper_main, NULL);
    return err < 0 ? err : start_thread(notify_main, (void *)(intptr_t)listener);
}
