/*
 * Wait queues: where fibers sleep until something happens.
 *
 * The condition lives outside the queue, protected by whatever lock its owner likes; the queue only
 * carries wake-ups. The calling sequence that cannot lose one is packed into wait_event():
 *
 *     err = wait_event_interruptible(&pipe->readers, pipe_readable(pipe));     0 or -ERESTARTSYS
 *     err = wait_event_timeout(&q, cond, deadline);       0, -ETIMEDOUT or -ERESTARTSYS
 *
 * The condition is evaluated without any lock of the queue; if it needs a lock it takes it itself.
 * A deadline is absolute CLOCK_MONOTONIC nanoseconds; NO_DEADLINE waits for ever; one in the past
 * polls once.
 *
 * Wakers change the condition first, then call wake_all() or wake_one(). Waking is cheap when
 * nobody waits. Every waiter may carry a callback instead of a fiber (struct wait_entry.func):
 * epoll, poll and signalfd hang themselves on queues that way. A callback runs on the waker's stack
 * with the queue's spinlock held: it may make other fibers ready and take locks ordered after a
 * queue's, and may not block.
 *
 * Events: wake_poll(q, EPOLLIN) passes poll bits to callbacks, and wakes fibers whatever the bits.
 */
#pragma once
#include "sched/fiber.h"
#include "sched/spinlock.h"

#define NO_DEADLINE INT64_MAX

struct wait_entry;
/* `events`: the poll bits of the wake, 0 meaning any. Returns true if this entry consumed an exclusive wake. */
typedef bool wait_func(struct wait_entry *e, uint32_t events);

struct wait_queue {
    struct spinlock lock;
    struct list waiters; /* [lock] of wait_entry.link */
};

struct wait_entry {
    struct list link;         /* [queue lock] */
    struct wait_queue *queue; /* [t] the queue it is on, or NULL */
    struct fiber *fiber;      /* [I] woken when func is NULL */
    wait_func *func;          /* [I] */
    bool exclusive;           /* [I] wake_one() stops after one of these */
};

#define WAIT_QUEUE_INIT(q) {SPINLOCK_INIT, LIST_INIT((q).waiters)}

void wait_queue_init(struct wait_queue *q);
void wait_entry_init(struct wait_entry *e, wait_func *func); /* func NULL: the current fiber */
void wait_add(struct wait_queue *q, struct wait_entry *e);
void wait_remove(struct wait_entry *e); /* harmless when not queued */
bool wait_queue_active(struct wait_queue *q);

void wake_poll(struct wait_queue *q, uint32_t events); /* everybody */
void wake_one(struct wait_queue *q);                   /* all non-exclusive and one exclusive waiter */
static inline void wake_all(struct wait_queue *q)
{
    wake_poll(q, 0);
}

/*
 * The low level. prepare_to_wait() marks the current fiber as about to sleep: a wake-up from then
 * on makes the next wait_block() return at once. wait_block() sleeps until woken (0), interrupted
 * (-ERESTARTSYS, only if interruptible) or the deadline (-ETIMEDOUT). finish_wait() undoes
 * prepare_to_wait(). A fiber may be on many queues at once: prepare once, wait_add() to each,
 * block, wait_remove() each.
 */
void prepare_to_wait(void);
int wait_block(int64_t deadline, bool interruptible);
void finish_wait(void);
void fiber_wake(struct fiber *f);

#define wait_event_full(q, cond, deadline, interruptible)                    \
    ({                                                                       \
        int wait_err_ = 0;                                                   \
        if (!(cond)) {                                                       \
            struct wait_entry wait_e_;                                       \
            wait_entry_init(&wait_e_, NULL);                                 \
            wait_add((q), &wait_e_);                                         \
            for (;;) {                                                       \
                prepare_to_wait();                                           \
                if (cond)                                                    \
                    break;                                                   \
                wait_err_ = wait_block((deadline), (interruptible));         \
                if (wait_err_) {                                             \
                    if (cond)                                                \
                        wait_err_ = 0;                                       \
                    break;                                                   \
                }                                                            \
            }                                                                \
            finish_wait();                                                   \
            wait_remove(&wait_e_);                                           \
        }                                                                    \
        wait_err_;                                                           \
    })

#define wait_event(q, cond) ((void)wait_event_full(q, cond, NO_DEADLINE, false))
#define wait_event_interruptible(q, cond) wait_event_full(q, cond, NO_DEADLINE, true)
#define wait_event_timeout(q, cond, deadline) wait_event_full(q, cond, deadline, true)

/* Sleeps until `deadline`: 0 when it has passed, -ERESTARTSYS when interrupted before. */
int sleep_until(int64_t deadline);
