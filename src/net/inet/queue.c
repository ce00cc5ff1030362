/*
 * The bytes of a TCP stream. See queue.h.
 */
#include "net/inet/queue.h"
#include <stdlib.h>

#define SMALL_CHUNK (2048 - sizeof(struct tcp_chunk) - 16)
#define LARGE_CHUNK 65536
#define LARGE_KEPT 16

static struct {
    struct spinlock lock;
    unsigned count;
    struct tcp_chunk *chunks[LARGE_KEPT];
} kept = {.lock = SPINLOCK_INIT};

static struct tcp_chunk *large_take(void)
{
    struct tcp_chunk *c = NULL;
    spin_lock(&kept.lock);
    if (kept.count)
        c = kept.chunks[--kept.count];
    spin_unlock(&kept.lock);
    return c;
}

static void chunk_free(struct tcp_chunk *c)
{
    if (c->size == LARGE_CHUNK) {
        spin_lock(&kept.lock);
        bool keep = kept.count < LARGE_KEPT;
        if (keep)
            kept.chunks[kept.count++] = c;
        spin_unlock(&kept.lock);
        if (keep)
            return;
    }
    free(c);
}

static struct tcp_chunk *chunk_new(size_t want)
{
    size_t size = want > SMALL_CHUNK ? LARGE_CHUNK : SMALL_CHUNK;
    struct tcp_chunk *c = size == LARGE_CHUNK ? large_take() : NULL;
    if (!c)
        c = malloc(sizeof(*c) + size);
    if (c)
        *c = (struct tcp_chunk){.size = (uint32_t)size};
    return c;
}

static char *tail_space(struct tcp_queue *q, size_t want, size_t *ret_n)
{
    struct tcp_chunk *c = q->tail;
    if (!c)
        return NULL;
    if (c->start == c->end)
        c->start = c->end = 0;
    *ret_n = MIN(want, (size_t)(c->size - c->end));
    /* A small rest is not worth a copy of its own. */
    bool worth = *ret_n == want || *ret_n >= 1024 || (*ret_n > 0 && want <= SMALL_CHUNK);
    return worth ? c->data + c->end : NULL;
}

char *tcp_queue_space(struct tcp_queue *q, struct spinlock *lock, size_t want, size_t *ret_n)
{
    spin_lock(lock);
    char *at = tail_space(q, want, ret_n);
    q->producing = true;
    size_t likely = MAX(want, q->bytes);
    spin_unlock(lock);
    if (at)
        return at;
    struct tcp_chunk *c = chunk_new(likely);
    if (!c)
        return NULL;
    spin_lock(lock);
    if (q->tail && q->tail->start == q->tail->end && q->head == q->tail) { /* too small: replaced */
        struct tcp_chunk *old = q->tail;
        q->head = q->tail = c;
        spin_unlock(lock);
        chunk_free(old);
        spin_lock(lock);
    } else if (q->tail) {
        q->tail->next = c;
        q->tail = c;
    } else {
        q->head = q->tail = c;
    }
    spin_unlock(lock);
    *ret_n = MIN(want, (size_t)c->size);
    return c->data;
}

void tcp_queue_commit(struct tcp_queue *q, size_t n)
{
    q->tail->end += (uint32_t)n;
    q->bytes += n;
    q->producing = false;
}

const char *tcp_queue_peek(const struct tcp_queue *q, size_t offset, size_t *ret_n)
{
    for (struct tcp_chunk *c = q->head; c; c = c->next) {
        size_t len = c->end - c->start;
        if (offset < len) {
            *ret_n = len - offset;
            return c->data + c->start + offset;
        }
        offset -= len;
    }
    *ret_n = 0;
    return NULL;
}

void tcp_queue_consume(struct tcp_queue *q, size_t n)
{
    assert(n <= q->bytes);
    q->bytes -= n;
    q->read += n;
    while (q->head) {
        struct tcp_chunk *c = q->head;
        size_t step = MIN(n, (size_t)(c->end - c->start));
        c->start += (uint32_t)step;
        n -= step;
        if (c->start < c->end || (c == q->tail && (q->producing || c->size != LARGE_CHUNK)))
            return;
        q->head = c->next;
        if (!q->head)
            q->tail = NULL;
        chunk_free(c);
    }
}

void tcp_queue_clear(struct tcp_queue *q)
{
    while (q->head) {
        struct tcp_chunk *c = q->head;
        q->head = c->next;
        chunk_free(c);
    }
    *q = (struct tcp_queue){.read = q->read + q->bytes};
}
