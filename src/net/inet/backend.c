/*
 * The seam to whoever carries traffic to the outside. See backend.h.
 */
#include "net/inet/backend.h"

int inet_outside_open(struct inet_socket *i)
{
    struct inet_backend *b = i->net->backend;
    if (i->outside)
        return 0;
    return b ? b->ops->open(b, i, &i->outside) : -ENETUNREACH;
}

void inet_outside_event(struct inet_socket *i, uint32_t events, int error)
{
    if (error)
        i->socket.error = error;
    wake_poll(&i->socket.readers, events);
    wake_poll(&i->socket.writers, events);
}
