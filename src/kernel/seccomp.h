/*
 * seccomp(2): filters that a task's system calls pass before they are dispatched.
 *
 * Filters form a tree: a task points at its newest one, each points at the one installed before it,
 * and children share what their parent had. All of a task's filters run on each of its calls; the
 * strictest verdict wins. A task with a filter has every call handed to the kernel: the stub
 * answers nothing by itself (call_entry.c).
 *
 * A filter may have a listener (SECCOMP_RET_USER_NOTIF, seccomp_notify.c): a file through which
 * another process decides about calls.
 *
 * What a filter cannot do: stop a program that has taken control of the stub in its own address
 * space from what every stub may do (SECURITY.md), which is memory and futexes of its own.
 */
#pragma once
#include "base/base.h"
#include "base/cbpf.h"
#include "base/refcount.h"

struct task;
struct notify;

struct seccomp_filter {
    struct refcount ref;         /* tasks, newer filters, and the listener */
    struct refcount users;       /* tasks and newer filters; the listener hangs up at the last */
    struct seccomp_filter *prev; /* [I] a reference and a user, or NULL */
    struct notify *notify;       /* [I] once published; NULL: no listener was asked for */
    bool wait_killable;          /* [I] */
    unsigned depth;              /* [I] filters from here on */
    unsigned cost;               /* [I] instructions from here on, as Linux counts them */
    unsigned len;
    struct sock_filter prog[];
};

struct seccomp_state {
    int mode;                      /* [sig.lock to change] SECCOMP_MODE_... */
    struct seccomp_filter *filter; /* [sig.lock to change, a] reference and user */
};

/* A system call on its way through filters and tracers. */
struct call {
    uint64_t nr, args[6];
    int64_t result; /* once it is decided without the handler */
};

/* Does the call go on? Otherwise c->result is its result; the task may have been told to end. Own
 * task, mode not 0. */
NODISCARD bool seccomp_admit(struct task *t, struct call *c);

/* The system call and its prctl(2) forms. */
int64_t do_seccomp(unsigned op, unsigned flags, uaddr_t args);
int64_t prctl_set_seccomp(uint64_t mode, uaddr_t prog);

/* Installs a checked-here program on a task that does not run yet, without asking for privilege:
 * the filter of a container (runtime/seccomp.c made it). 0, -EINVAL, -ENOMEM. */
NODISCARD int seccomp_install(struct task *t, const struct sock_filter *prog, size_t len);

/* sig.lock of `from`'s process held: the child begins with what its creator has. */
void seccomp_inherit_locked(struct task *child, struct task *from);
void seccomp_exit(struct task *t); /* the task ends */

/* ---- between seccomp.c and seccomp_notify.c ---- */

void seccomp_filter_put(struct seccomp_filter *f);
NODISCARD int notify_new(struct notify **ret);
void notify_free(struct notify *n);
void notify_hangup(struct notify *n); /* the last user has gone */
struct file;
NODISCARD int notify_listener(struct seccomp_filter *f, struct file **ret);
/* SECCOMP_RET_USER_NOTIF: as seccomp_admit(). */
NODISCARD bool notify_ask(struct seccomp_filter *f, struct task *t, struct call *c,
                          const struct seccomp_data *data);
