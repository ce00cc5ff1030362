/*
 * The owner of a file and the signals it gets: F_SETOWN, F_SETSIG, O_ASYNC of fcntl(2).
 *
 * A file with O_ASYNC hangs entries on the wait queues of what it refers to, as epoll does: whatever can be polled
 * can send signals. The signal goes out on the stack of whoever woke the queue.
 */
#pragma once
#include "vfs/file.h"

struct pid;

/* Whom a file's signals go to: made on first use, ends with the file. */
struct file_owner {
    struct spinlock lock;
    struct pid *pid;      /* [lock] reference or NULL */
    int type;             /* [lock] F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP */
    uint32_t uid, euid;   /* [lock] of who set it */
    int signal;           /* [lock] F_SETSIG; 0: SIGIO */
    struct file_async *async; /* [async_lock] with O_ASYNC: the entries */
};

/* id 0: nobody. -ESRCH; -EINVAL. */
NODISCARD int file_set_owner(struct file *f, int type, int32_t id);
void file_get_owner(struct file *f, int *ret_type, int32_t *ret_id); /* as the current task numbers them */
NODISCARD int file_set_signal(struct file *f, int sig);
int file_get_signal(struct file *f);
/* O_ASYNC on or off; fd is what si_fd will say. */
NODISCARD int file_set_async(struct file *f, int fd, bool on);
/* The caller's process becomes the owner, unless there is one: what F_SETLEASE does. */
NODISCARD int file_own_by_caller(struct file *f);
void file_signal_lease(struct file *f, int fd); /* a lease is being broken */
/* SIGURG for the owner: urgent data has come. */
void file_signal_urgent(struct file *f);
void file_owner_release(struct file *f); /* the end of the file: before its release */
