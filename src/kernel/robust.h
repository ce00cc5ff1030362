/* What a dying thread's memory owes to those who share it: set_robust_list(2), set_tid_address(2).
 * */
#pragma once
#include "kernel/task.h"

/* Marks the robust futexes that t still holds as ownerless, clears its tid word, wakes who waits on
 * either. Own task. */
void robust_list_release(struct task *t);
uaddr_t task_robust_list(struct task *t); /* any */
