/*
 * What the boot code learns of the machine before lock-down, for /proc and /sys to show. Afterwards
 * the kernel process can read no file of the host any more.
 */
#pragma once
#include "base/base.h"

struct host_facts {
    const char *cpuinfo;    /* the text of the host's /proc/cpuinfo, or "" */
    unsigned cpu_count;     /* CPUs the sandbox may use, at least 1 */
    const char *cpu_online; /* as /sys/devices/system/cpu/online: "0-3" */
    uint64_t mem_total;     /* bytes */
};
