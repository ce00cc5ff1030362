/*
 * Descriptor tables: small integers to open files, shared by tasks made with CLONE_FILES.
 *
 * One spinlock; a look-up takes it for a few instructions and returns a file with a reference.
 * RLIMIT_NOFILE bounds new numbers; tables grow by doubling up to FD_MAX.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "sched/spinlock.h"

#define FD_MAX (1 << 20)

struct file;

struct fdtable {
    struct refcount ref;
    struct spinlock lock;
    struct file **files;   /* [lock] capacity slots */
    uint64_t *cloexec;     /* [lock] bit per slot */
    uint64_t *used;        /* [lock] bit per slot (also reserved ones) */
    unsigned capacity, first_free;
};

NODISCARD int fdtable_new(struct fdtable **ret);
NODISCARD int fdtable_copy(struct fdtable *t, struct fdtable **ret); /* fork: shares the files */
struct fdtable *fdtable_get(struct fdtable *t);
void fdtable_put(struct fdtable *t); /* the last: closes everything */
void fdtable_close_on_exec(struct fdtable *t);

/* A reference to the file behind fd in the current task's table; -EBADF. O_PATH files are refused
 * by fd_file, given by fd_file_any. */
NODISCARD int fd_file(int fd, struct file **ret);
NODISCARD int fd_file_any(int fd, struct file **ret);
NODISCARD int fdtable_file(struct fdtable *t, int fd, struct file **ret, bool *ret_cloexec /* or NULL */);

/* Lowest free number >= min gets the file (reference consumed on success). flags: O_CLOEXEC. The
 * fd, -EMFILE, -ENOMEM. */
NODISCARD int fd_install(struct file *file, unsigned flags);
NODISCARD int fd_install_from(struct file *file, unsigned flags, int min);
/* Two-step for calls that copy the number out before it may exist: reserve, then publish or
 * release. */
NODISCARD int fd_reserve(unsigned flags);
void fd_publish(int fd, struct file *file);
void fd_unreserve(int fd);
/* Exactly at fd, for boot and donated descriptors (reference consumed on success). */
NODISCARD int fdtable_install_at(struct fdtable *t, int fd, struct file *file, bool cloexec);
/* The same in the current task's table, in place of what is there: fd, -EBADF, -EBUSY, -ENOMEM. */
NODISCARD int fd_replace(int fd, struct file *file, unsigned flags);
NODISCARD int fd_close(int fd);
NODISCARD int fd_close_range(unsigned first, unsigned last, unsigned flags);
NODISCARD int fd_dup2(int old_fd, int new_fd, unsigned flags, bool same_ok); /* dup2/dup3 */
NODISCARD int fd_get_cloexec(int fd);
NODISCARD int fd_set_cloexec(int fd, bool on);
/* The first used descriptor >= start, or -1: /proc/PID/fd. */
int fdtable_next(struct fdtable *t, int start);
