/*
 * The terminal itself, shared by the files of fs/devpts:
 *
 *     tty.c     life, files, hang-up         job.c     sessions, foreground groups, job control
 *     input.c   what is typed: editing       ioctl.c   settings
 *     output.c  what is written, echo        pty.c     the master's side
 *     read.c    reading                      devpts.c  the file system
 *
 * Locks, in order: write_lock (a whole write) > lock (settings, input) > out_lock (column, the
 * driver's output) > ctrl_lock (spinlock: session and group).
 */
#pragma once
#include "base/refcount.h"
#include "fs/tty.h"
#include "kernel/job_control.h"
#include "sched/mutex.h"
#include <stdatomic.h>

#define TTY_INPUT_SIZE 4096 /* a power of two */

/* The input: a ring with free-running indices; a marked byte ends a line. */
struct tty_input {
    unsigned head;      /* where the next byte goes */
    unsigned line_end;  /* canonical mode: lines before here are complete */
    unsigned tail;      /* where the reader is */
    uint8_t bytes[TTY_INPUT_SIZE];
    uint64_t marks[TTY_INPUT_SIZE / 64];
    bool literal_next;  /* VLNEXT was typed */
    bool erasing;       /* ECHOPRT: inside \.../ */
    unsigned line_column; /* where on the screen the line being edited starts */
};

struct tty {
    struct refcount ref;
    const struct tty_driver *driver; /* [I] */
    void *data;                      /* [I] the driver's */
    struct mutex write_lock, lock, out_lock;
    struct tty_termios termios;      /* [lock and out_lock to change] what the line discipline goes by */
    struct tty_termios shown;        /* [lock] passing through: what the guest set */
    bool passes_through;             /* [lock] */
    struct tty_window window;        /* [lock] */
    struct tty_input in;             /* [lock] */
    unsigned column;                 /* [out_lock] */
    _Atomic bool stopped;            /* ^S, TCOOFF */
    _Atomic bool exclusive;          /* TIOCEXCL */
    _Atomic bool dead;               /* the line is gone for good */
    _Atomic unsigned hangups;        /* a file opened before the last one is dead */
    struct wait_queue readers, writers;
    struct spinlock ctrl_lock;
    struct pid *session, *foreground; /* [ctrl_lock] references or NULL */
    unsigned files;                  /* [ctrl_lock] open files */
    struct inode *inode;             /* [I] once numbered; reference: its node */
    unsigned number;                 /* [I] */
    char name[24];                   /* [I] "/dev/pts/3" */
};

extern const struct file_ops tty_ops;    /* of slave files; private_data is the tty */
extern const struct file_ops tty_device_ops; /* of nodes that lead to one: open() only */

/* tty.c */
bool tty_file_dead(const struct file *f);
int tty_attach(struct tty *t, struct file *file); /* makes file, opened on some node, a file of t */

/* input.c, lock held */
void tty_input_reset(struct tty *t);
static inline unsigned tty_input_used(const struct tty *t)
{
    return t->in.head - t->in.tail;
}
unsigned tty_input_available(const struct tty *t); /* bytes a read would give now */

/* output.c */
void tty_echo(struct tty *t, const char *bytes, size_t n); /* through output processing; dropped if there is no room */
ssize_t tty_write(struct file *file, struct uio *from, int64_t *pos);
size_t tty_write_room(struct tty *t);
void tty_set_stopped(struct tty *t, bool stopped);

/* read.c */
ssize_t tty_read(struct file *file, struct uio *to, int64_t *pos);

/* job.c */
/* A background process may not change or write to its terminal: 0, -EIO, -ERESTARTSYS (SIGTTOU
 * sent). */
NODISCARD int tty_check_change(struct tty *t);
NODISCARD int tty_check_read(struct tty *t);
void tty_maybe_acquire(struct tty *t, struct file *file, uint32_t open_flags);
void tty_adopt_session(struct tty *t);
#define NOT_MINE (-515) /* not one of this function's commands */
int64_t tty_job_ioctl(struct tty *t, struct file *file, bool master, unsigned cmd, uaddr_t arg);
void tty_drop_session(struct tty *t, bool leader_exit);

/* ioctl.c */
int64_t tty_common_ioctl(struct tty *t, struct file *file, bool master, unsigned cmd, uaddr_t arg);
void tty_default_termios(struct tty_termios *t);

/* pty.c */
int pty_open_master(struct inode *inode, struct file *file);
extern const struct tty_driver pty_driver;
bool pty_locked(struct tty *t);

/* devpts.c */
struct devpts;
struct devpts *devpts_of_inode(struct inode *inode); /* the instance a ptmx node belongs to, else the first; borrowed */
NODISCARD int devpts_add(struct devpts *d, struct tty *t);
