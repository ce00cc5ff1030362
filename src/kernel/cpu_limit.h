/* RLIMIT_CPU: SIGXCPU each second beyond the soft limit, SIGKILL at the hard one. */
#pragma once
#include "base/base.h"

struct process;

void cpu_limit_update(struct process *p); /* its limit was set or inherited */
void cpu_limit_free(struct process *p);   /* the process ends: no callback runs afterwards */
