/* Priorities, policies, affinity: what is set is read back; what is not allowed is refused. */
#include "check.h"
#include <sched.h>
#include <sys/resource.h>

static int nice_values(void)
{
    errno = 0;
    CHECK(getpriority(PRIO_PROCESS, 0) == 0 && errno == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
    CHECK(setpriority(PRIO_PROCESS, 0, 100) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
    CHECK_ERR(setpriority(77, 0, 1), EINVAL);
    CHECK_ERR(setpriority(PRIO_PROCESS, 1 << 30, 1), ESRCH);
    pid_t pid = fork();
    if (pid == 0)
        _exit(getpriority(PRIO_PROCESS, 0));
    exits_with(pid, 19);
    if (getuid() == 0) {
        CHECK(setuid(1000) == 0);
        CHECK_ERR(setpriority(PRIO_PROCESS, 0, 0), EACCES);
    }
    return 0;
}

static int policies(void)
{
    struct sched_param p = {0};
    struct timespec ts;
    CHECK(sched_getscheduler(0) == SCHED_OTHER && sched_getparam(0, &p) == 0 && p.sched_priority == 0);
    CHECK(sched_setscheduler(0, SCHED_BATCH, &p) == 0 && sched_getscheduler(0) == SCHED_BATCH);
    CHECK(sched_setscheduler(0, SCHED_OTHER, &p) == 0);
    p.sched_priority = 5;
    CHECK_ERR(sched_setscheduler(0, SCHED_OTHER, &p), EINVAL);
    CHECK_ERR(sched_setscheduler(0, 99, &p), EINVAL);
    CHECK_ERR(sched_setscheduler(-1, SCHED_OTHER, &p), EINVAL);
    CHECK_ERR(sched_getscheduler(1 << 30), ESRCH);
    CHECK(sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_RR) == 1);
    CHECK(sched_get_priority_max(SCHED_OTHER) == 0);
    CHECK_ERR(sched_get_priority_max(99), EINVAL);
    CHECK(sched_rr_get_interval(0, &ts) == 0);
    CHECK(sched_yield() == 0);
    return 0;
}

static int affinity(void)
{
    cpu_set_t set, one, got;
    CHECK(sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) >= 1);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &set))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
    CHECK(sched_getaffinity(0, sizeof(got), &got) == 0 && CPU_EQUAL(&got, &one));
    CPU_ZERO(&one);
    CHECK_ERR(sched_setaffinity(0, sizeof(one), &one), EINVAL);
    CHECK_ERR(sched_getaffinity(0, 1, &got), EINVAL);
    CHECK_ERR(sched_getaffinity(1 << 30, sizeof(got), &got), ESRCH);
    CHECK_ERR(syscall(SYS_sched_setaffinity, 0, 8, 8), EFAULT);
    CHECK(sched_getcpu() >= 0);
    return 0;
}

int main(void)
{
    exits_with(child(nice_values), 0);
    exits_with(child(policies), 0);
    exits_with(child(affinity), 0);
    return 0;
}
