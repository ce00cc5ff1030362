/*
 * POSIX message queues: mq_overview(7). A queue is an inode of the mqueue file system, of which each IPC namespace has
 * one; mq_open(3) looks names up in its root whether or not it is mounted anywhere.
 */
#pragma once
#include "base/base.h"

struct file;
struct ipc_namespace;
struct super_block;

struct mq_attr_guest {
    int64_t flags, maxmsg, msgsize, curmsgs, reserved[4];
};

/* How SIGEV_THREAD reaches the C library: bytes onto the queue of a netlink socket; -EINVAL: the file is none. With n 0
 * nothing is sent. Set by boot. */
extern int (*mqueue_post)(struct file *socket, const void *bytes, size_t n);

void mqueue_register(void); /* the file system type */
/* The file system of a namespace: a reference. What mount(2) of an mqueue gives. */
NODISCARD int mqueue_super(struct ipc_namespace *ns, struct super_block **ret);
void mqueue_namespace_end(struct ipc_namespace *ns);

/* The calls, decoded. name: without its slash, as the C library passes it. attr NULL: the defaults. */
int64_t do_mq_open(const char *name, int flags, uint32_t mode, const struct mq_attr_guest *attr);
int64_t do_mq_unlink(const char *name);
/* Deadlines are absolute CLOCK_MONOTONIC, or NO_DEADLINE. */
int64_t do_mq_send(int fd, uaddr_t text, uint64_t size, unsigned priority, int64_t deadline);
int64_t do_mq_receive(int fd, uaddr_t text, uint64_t size, uaddr_t ret_priority, int64_t deadline);
int64_t do_mq_notify(int fd, uaddr_t event);
/* Either may be NULL. */
int64_t do_mq_attr(int fd, const struct mq_attr_guest *fresh, struct mq_attr_guest *ret_old);
