/* The host's facts: descriptors opened at boot, and the affinity mask of then. */
#include "kernel/machine.h"
#include "sched/fiber.h"
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

static const char *const paths[MACHINE_FILES] = {
    [MACHINE_CPUINFO] = "/proc/cpuinfo", [MACHINE_MEMINFO] = "/proc/meminfo", [MACHINE_STAT] = "/proc/stat",
    [MACHINE_LOADAVG] = "/proc/loadavg", [MACHINE_UPTIME] = "/proc/uptime",
};

static int fds[MACHINE_FILES];
static unsigned cpus;

void machine_init(void)
{
    cpu_set_t mask;
    cpus = sched_getaffinity(0, sizeof mask, &mask) == 0 ? (unsigned)CPU_COUNT(&mask) : 1;
    for (int i = 0; i < MACHINE_FILES; i++)
        fds[i] = open(paths[i], O_RDONLY | O_CLOEXEC);
}

ssize_t machine_read(enum machine_file file, void *buf, size_t n, int64_t pos)
{
    if (fds[file] < 0)
        return 0;
    host_call_begin();
    ssize_t got = pread(fds[file], buf, n, pos);
    int err = errno;
    host_call_end();
    return got < 0 ? -err : got;
}

unsigned machine_cpus(void)
{
    return cpus;
}
