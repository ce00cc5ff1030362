/* Who gets a signal: kill(2), tkill, tgkill, rt_sigqueueinfo, pidfd_send_signal, with kill's
 * permission rules. */
#pragma once
#include "base/base.h"
#include "kernel/signal.h"

struct pid;

/* pid > 0 a process, 0 the own group, -1 everybody, < -1 a group. */
NODISCARD int do_kill(int32_t pid, int sig, const siginfo_t *info);
/* tgid 0: any process (tkill). */
NODISCARD int do_tgkill(int32_t tgid, int32_t tid, int sig, const siginfo_t *info);
/* A process known by its pid, whatever number it has now: -ESRCH once it is reaped. */
NODISCARD int do_kill_pid(struct pid *pid, int sig, const siginfo_t *info);
