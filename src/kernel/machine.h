/*
 * What the kernel process may still know of the host's machine after lock-down: a few files of the host's /proc, held
 * open since boot and read anew each time. For /proc/cpuinfo, /proc/meminfo and the like in the sandbox.
 */
#pragma once
#include "base/base.h"

enum machine_file {
    MACHINE_CPUINFO,
    MACHINE_MEMINFO,
    MACHINE_STAT, /* /proc/stat */
    MACHINE_LOADAVG,
    MACHINE_UPTIME,
    MACHINE_FILES
};

/* Opens them; at boot, before lock-down. A file that the host lacks is no error: reading it gives 0 bytes. */
void machine_init(void);

/* Up to n bytes of the file's present text from `pos` on; 0 at its end, -errno. */
NODISCARD ssize_t machine_read(enum machine_file file, void *buf, size_t n, int64_t pos);

unsigned machine_cpus(void); /* CPUs that guests can run on; the scheduler's count */
