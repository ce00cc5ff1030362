/*
 * Core files: what is left of a process that a signal ended, for a debugger. core(5).
 *
 * The task that dies dumps: every other thread of the process parks where it next looks at its
 * signals, leaving its registers (core_park()); then one ELF file is written (core_elf.c) by the
 * pattern of /proc/sys/kernel/core_pattern, with the credentials of the process. Patterns that
 * start a program ("|...") write nothing.
 */
#pragma once
#include "abi/regs.h"
#include "base/base.h"
#include "base/strbuf.h"
#include "sched/wait.h"
#include <signal.h>

struct task;
struct file;

#define CORE_PATTERN_MAX 128
#define CORE_FILTER_DEFAULT 0x33

struct core_thread {
    struct list link; /* of core->threads */
    struct task *task;
    struct regs regs;
    char *fp; /* an XSAVE image, or NULL */
    int32_t tid;
    uint64_t pending, blocked;
};

struct core {
    struct task *dumper;
    int sig;
    const siginfo_t *info;
    struct core_thread own;
    struct list threads; /* [sig.lock] the parked ones */
    unsigned parked;     /* [sig.lock] */
    bool closed;         /* [sig.lock] it is being written: who parks now comes too late */
    struct wait_queue queue;
};

/* Own task, which `sig` is about to end: writes a core file if there is to be one. 0x80, the bit of the wait
 * status, if it was written; else 0. */
int core_dump(struct task *t, int sig, const siginfo_t *info);
/* Own task: leaves its registers to the dumper and sleeps until that is done. */
void core_park(struct task *t);
bool core_wants(const struct task *t); /* core_park() is due */
bool core_is_wanted(const struct task *t, int sig); /* would there be a core file? */

/* The sysctls. */
void core_pattern_get(char ret[CORE_PATTERN_MAX]);
NODISCARD int core_pattern_set(const char *text);
extern _Atomic int core_uses_pid;

/* ---- core_elf.c ---- */

/* Writes it all: 0, or an error that ended it early. */
NODISCARD int core_write(struct core *core, struct file *file, uint64_t limit);
