/* CPU time and resource use in the forms that system calls report: getrusage(2), times(2). */
#pragma once
#include "kernel/task.h"
#include <sys/resource.h>

/* Own task: the most that has been resident, in KiB; kept with the process. Costs host calls. */
long usage_peak(struct task *t);
void usage_from_times(struct rusage *ret, const struct cpu_times *times);
/* who: RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD of the current task; -EINVAL. */
NODISCARD int usage_of_current(int who, struct rusage *ret);
