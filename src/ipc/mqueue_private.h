/* What the files of POSIX message queues share. */
#pragma once
#include "base/cleanup.h"
#include "ipc/mqueue.h"
#include "ipc/namespace.h"
#include "vfs/vfs.h"

#define MQ_PRIORITIES 32768

/* Of one super block. */
struct mqueue_fs {
    struct mutex lock;
    struct ipc_namespace *ns; /* [lock] weak: NULL once the namespace is gone */
    struct list queues;       /* [root inode's lock] of mqueue.entry: one reference each */
    int64_t next_cookie;      /* [root inode's lock] */
};

struct mq_message {
    struct list link;
    unsigned priority;
    uint64_t size;
    char text[];
};

#define NOTIFY_COOKIE_LEN 32

/* Who is told of the first message. */
struct mq_notify {
    int how;           /* SIGEV_...; owner NULL: nobody */
    int signo;         /* of SIGEV_SIGNAL */
    uint64_t value;
    struct pid *owner; /* reference */
    struct file *socket; /* of SIGEV_THREAD: reference */
    char cookie[NOTIFY_COOKIE_LEN];
};

struct mqueue {
    struct inode inode;
    struct list entry;   /* [root inode's lock] */
    char *name;          /* [I] */
    int64_t cookie;      /* [I] for readdir */
    uint32_t user;       /* [I] who pays */
    uint64_t charged;    /* [I] bytes, against RLIMIT_MSGQUEUE */
    int64_t maxmsg, msgsize; /* [I] */

    struct mutex lock;
    struct list messages; /* [lock] by falling priority, then age */
    int64_t count;        /* [lock] */
    uint64_t bytes;       /* [lock] */
    struct list senders, receivers; /* [lock] of mq_waiter.wait.link */
    struct mq_notify notify;        /* [lock] */
    struct wait_queue poll_queue;
};

static inline struct mqueue *mqueue_of(struct inode *inode)
{
    return container_of(inode, struct mqueue, inode);
}

extern const struct file_ops mqueue_file_ops;

/* mqueue_fs.c: a queue without a name, one reference; -EINVAL, -ENOSPC, -EMFILE. */
NODISCARD int mqueue_new(struct super_block *sb, uint32_t mode, const struct cred *cred,
                         const struct mq_attr_guest *attr, struct inode **ret);
/* The queue behind a descriptor, if it may be used so (MAY_READ, MAY_WRITE or 0): -EBADF. */
NODISCARD int mqueue_file(int fd, int mask, struct file **ret);

/* mqueue_notify.c; the queue is locked. */
void mqueue_tell_owner(struct mqueue *q); /* the queue was empty and has a message now */
void mqueue_forget_owner(struct mqueue *q, bool only_current);
