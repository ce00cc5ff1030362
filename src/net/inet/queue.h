/*
 * The bytes of a TCP stream between send(2) and recv(2): a chain of chunks.
 *
 * One producer and one consumer at a time (their owners' mutexes see to it); copying goes on outside the lock that
 * protects the chain, since the bytes come from and go to guests:
 *
 *     tcp_queue_space(q, lock, want, &n)    producer: room for up to n bytes, as if locked until ...
 *     tcp_queue_commit(q, n)                lock held: they are part of the stream
 *     tcp_queue_peek(q, offset, &n)         lock held: the bytes at an offset; stay until consumed
 *     tcp_queue_consume(q, n)               lock held: n bytes have been read
 *
 * Chunks are small while little is written at a time, and 64 KiB otherwise. A drained queue keeps at most a small
 * one; a few large ones are kept for all queues.
 */
#pragma once
#include "base/base.h"
#include "sched/spinlock.h"

struct tcp_chunk {
    struct tcp_chunk *next;
    uint32_t size, start, end; /* [lock] bytes [start, end) are unread */
    char data[];
};

struct tcp_queue {
    struct tcp_chunk *head, *tail;
    size_t bytes;     /* unread */
    uint64_t read;    /* position in the stream of the first unread byte */
    bool producing;   /* the tail's free part is being written to */
    bool consuming;   /* bytes are being copied out, the lock not held */
    bool doomed;      /* dropped meanwhile: the consumer does it */
};

/* NULL: out of memory. */
char *tcp_queue_space(struct tcp_queue *q, struct spinlock *lock, size_t want, size_t *ret_n);
void tcp_queue_commit(struct tcp_queue *q, size_t n);
const char *tcp_queue_peek(const struct tcp_queue *q, size_t offset, size_t *ret_n);
void tcp_queue_consume(struct tcp_queue *q, size_t n);
/* All that is left; no lock needed since nobody else uses it. */
void tcp_queue_clear(struct tcp_queue *q);
