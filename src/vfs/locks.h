/*
 * Advisory file locks: POSIX record locks (fcntl F_SETLK), open file description locks
 * (F_OFD_SETLK) and flock(2).
 *
 * They hang on the inode. A POSIX lock belongs to a descriptor table (`owner` of the request) and
 * goes when that table closes any descriptor of the file: file_locks_close(). An OFD lock and a
 * flock belong to the open file and go with it.
 */
#pragma once
#include "base/base.h"
#include "vfs/file.h"

struct lock_request {
    int type;           /* F_RDLCK, F_WRLCK, F_UNLCK */
    int64_t start, end; /* inclusive; end INT64_MAX: to the end of the file whatever its size */
    const void *owner;  /* the descriptor table, or the file itself for OFD locks */
    int32_t pid;        /* shown by F_GETLK; -1 for OFD locks */
};

/* 0, -EAGAIN, -EDEADLK (POSIX owners that would wait for each other), -ERESTARTSYS, -ENOLCK. */
NODISCARD int record_lock_set(struct file *f, const struct lock_request *req, bool wait);
/* The first lock in the way of `req`: true and *ret, else false. */
bool record_lock_test(struct file *f, const struct lock_request *req, struct lock_request *ret);
NODISCARD int flock_set(struct file *f, int type, bool wait);

void file_locks_close_slow(struct file *f, const void *owner);
/* A descriptor of f was closed in the table `owner`. */
static inline void file_locks_close(struct file *f, const void *owner)
{
    if (UNLIKELY(f->inode->locks != NULL))
        file_locks_close_slow(f, owner);
}
void file_locks_release(struct file *f);   /* the open file goes */
void file_locks_free(struct inode *inode); /* the inode goes: nothing can be locked any more */
/* One line a lock, as /proc/locks and fdinfo show them. */
void file_locks_show(struct strbuf *out);
