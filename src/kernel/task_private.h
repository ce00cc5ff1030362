/* Steps of a task's life that clone.c, first.c, exec.c, exit.c and wait.c share. */
#pragma once
#include "kernel/task.h"

/* A new fiber for t that will run fn(t) with t as its current task; not started. */
NODISCARD int task_start(struct task *t, void (*fn)(void *));
/* Undoes a task that was never linked, its process included if it is its leader. */
void task_discard(struct task *t);

/* Gives a context nobody else uses yet its own copy of the mount namespace, its root and directory
 * moved into it. */
struct fs_context;
NODISCARD int fs_unshare_mounts(struct fs_context *fs, struct user_namespace *owner);
void namespaces_init(void);

/* tasklist_lock held. The first makes t's process part of the tree, the second t part of its
 * process. */
void task_link_process_locked(struct task *t, struct process *parent, struct pid *group, struct pid *session);
void task_link_locked(struct task *t);

/* tasklist_lock held: takes a zombie out of the tree and puts it on `dead`, by child_link;
 * process_bury() drops the tree's references once the lock is free. */
void process_reap_locked(struct process *p, struct list *dead);
void process_bury(struct list *dead);

/* tasklist_lock held: tells the parent of a zombie; true if that parent does not want to know, and it is to be
 * reaped at once. */
bool exit_notify_parent_locked(struct process *p);

/* wait status encoding -> si_code and si_status */
void status_decode(int wait_status, int *ret_code, int *ret_status);
