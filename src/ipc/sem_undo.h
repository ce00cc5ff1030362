/*
 * What a process owes to semaphores it operated on with SEM_UNDO: added back when it ends (semop(2)).
 *
 * A list is made at a task's first such operation and shared by tasks made with CLONE_SYSVSEM; the last of them to
 * go settles it.
 */
#pragma once
#include "base/base.h"

struct sem_undo_list;
struct task;

/* A child's: shares the list with CLONE_SYSVSEM (-ENOMEM: it has to be made for that), starts with nothing else. */
NODISCARD int sem_undo_clone(struct task *child, struct task *from, bool share);
/* The end of a task, or unshare(CLONE_SYSVSEM). On the task's own fiber. */
void sem_undo_exit(struct task *t);
