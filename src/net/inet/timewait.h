/*
 * What remains of a TCP connection whose end was closed: TIME_WAIT, and FIN_WAIT2 without a socket.
 *
 * It keeps the local port and the pair taken. It is made when an end closes first; when the other end closes too
 * it turns from FIN_WAIT2 into TIME_WAIT and goes after a minute. No timer: the old ones are dropped when
 * somebody looks.
 */
#pragma once
#include "net/inet/inet.h"

#define TIMEWAIT_NS (60 * NSEC_PER_SEC)
#define TIMEWAIT_MAX 16384 /* net.ipv4.tcp_max_tw_buckets */

struct timewait {
    struct refcount ref;     /* the table, and the other end of a FIN_WAIT2 */
    struct inet_owner owner;
    struct inet_pair pair;
    struct list link;        /* [table] of table->remains, by the end of their time */
    int64_t until;           /* [table] monotonic */
    bool fin_wait;           /* [table] FIN_WAIT2: the other end is still open */
    int domain;              /* [I] */
};

/* Takes over port and pair of a socket, for so many ns: NULL when out of memory. The caller's reference. */
struct timewait *timewait_new(struct inet_socket *i, bool fin_wait, int64_t lifetime);
void timewait_put(struct timewait *w);
/* The other end has closed as well, or (reset) the connection is no more. Consumes the reference; NULL is fine. */
void timewait_other_closed(struct inet_net *net, struct timewait *w, bool reset);

void timewait_expire_locked(struct inet_table *t);
void timewait_drop_locked(struct inet_table *t, struct inet_pair *p);
