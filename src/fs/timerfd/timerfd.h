/* Timers that are files: timerfd_create(2). */
#pragma once
#include "vfs/file.h"

/* Nanoseconds; value 0: disarmed. */
struct timerfd_setting {
    int64_t value, interval;
};

/* clock: CLOCK_...; flags: TFD_NONBLOCK. -EINVAL, -EPERM for the alarm clocks without
 * CAP_WAKE_ALARM. */
NODISCARD int timerfd_new(int clock, unsigned flags, struct file **ret);
/* -EINVAL when the file is no timerfd. ret_old: what was left of the old one. */
NODISCARD int timerfd_set(struct file *file, bool absolute, const struct timerfd_setting *setting,
                          struct timerfd_setting *ret_old);
NODISCARD int timerfd_get(struct file *file, struct timerfd_setting *ret);
