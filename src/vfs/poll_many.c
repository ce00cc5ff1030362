/*
 * Waiting for any of many files. See poll_many.h.
 *
 * The first round of questions registers a wait entry on each file's queues; later rounds only ask.
 * Asking may sleep, so a wake-up is remembered in `triggered` rather than in the fiber's own state.
 */
#include "vfs/poll_many.h"
#include <stdlib.h>

void (*file_epoll_release)(struct file *f);

#define INLINE_ENTRIES 8
#define CHUNK_ENTRIES 64

struct poll_waiter;

struct poll_entry {
    struct wait_entry wait;
    struct poll_waiter *waiter; /* [I] */
    uint32_t wanted;            /* [I] */
};

struct entry_chunk {
    struct entry_chunk *next;
    unsigned used;
    struct poll_entry entries[CHUNK_ENTRIES];
};

struct poll_waiter {
    struct poll_table table;
    struct fiber *fiber;
    _Atomic bool triggered;
    uint32_t wanted; /* by the item being asked */
    int err;
    unsigned inline_used;
    struct poll_entry inline_entries[INLINE_ENTRIES];
    struct entry_chunk *chunks;
};

static bool entry_woken(struct wait_entry *e, uint32_t events)
{
    struct poll_entry *entry = container_of(e, struct poll_entry, wait);
    if (events && !(events & entry->wanted))
        return false;
    entry->waiter->triggered = true;
    fiber_wake(entry->waiter->fiber);
    return true;
}

static struct poll_entry *new_entry(struct poll_waiter *w)
{
    if (w->inline_used < INLINE_ENTRIES)
        return &w->inline_entries[w->inline_used++];
    if (!w->chunks || w->chunks->used == CHUNK_ENTRIES) {
        struct entry_chunk *chunk = malloc(sizeof(*chunk));
        if (!chunk)
            return NULL;
        chunk->next = w->chunks;
        chunk->used = 0;
        w->chunks = chunk;
    }
    return &w->chunks->entries[w->chunks->used++];
}

static void enqueue(struct poll_table *table, struct wait_queue *q)
{
    struct poll_waiter *w = container_of(table, struct poll_waiter, table);
    struct poll_entry *entry = new_entry(w);
    if (!entry) {
        w->err = -ENOMEM;
        return;
    }
    wait_entry_init(&entry->wait, entry_woken);
    entry->waiter = w;
    entry->wanted = w->wanted;
    wait_add(q, &entry->wait);
}

static void dequeue_all(struct poll_waiter *w)
{
    for (unsigned i = 0; i < w->inline_used; i++)
        wait_remove(&w->inline_entries[i].wait);
    while (w->chunks) {
        struct entry_chunk *chunk = w->chunks;
        for (unsigned i = 0; i < chunk->used; i++)
            wait_remove(&chunk->entries[i].wait);
        w->chunks = chunk->next;
        free(chunk);
    }
}

/* Asks every file; registers on their queues as long as *table is set and nothing was found. */
static int ask_all(struct poll_waiter *w, struct poll_item *items, unsigned count, struct poll_table **table)
{
    int ready = 0;
    for (unsigned i = 0; i < count; i++) {
        struct poll_item *it = &items[i];
        if (it->file) {
            w->wanted = it->wanted;
            it->got = vfs_poll(it->file, *table) & it->wanted;
        }
        if (it->got) {
            ready++;
            *table = NULL; /* there will be no sleep */
        }
    }
    return ready;
}

/* 0: something may have happened; -ETIMEDOUT, -ERESTARTSYS. */
static int sleep_triggered(struct poll_waiter *w, int64_t deadline)
{
    int err = 0;
    prepare_to_wait();
    if (!w->triggered)
        err = wait_block(deadline, true);
    finish_wait();
    return err;
}

int poll_many(struct poll_item *items, unsigned count, int64_t deadline)
{
    struct poll_waiter w = {.table = {.queue = enqueue}, .fiber = fiber_self()};
    struct poll_table *table = deadline > 0 ? &w.table : NULL;
    int ready, err = 0;
    for (;;) {
        w.triggered = false;
        ready = ask_all(&w, items, count, &table);
        table = NULL;
        if (ready > 0 || err < 0 || w.err < 0 || deadline <= 0)
            break;
        err = sleep_triggered(&w, deadline);
    }
    dequeue_all(&w);
    if (ready > 0)
        return ready;
    return w.err < 0 ? w.err : err == -ETIMEDOUT ? 0 : err;
}
