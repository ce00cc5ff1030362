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

bool inet_is_host_resolver(struct inet_net *net, const struct inet_endpoint *to)
{
    if (!net->backend || to->port != 53 || !inet_is_loopback(&to->addr))
        return false;
    struct inet_endpoint nobody = {.addr = inet_any4};
    struct inet_socket *found = inet_find_datagram(net, TABLE_UDP, to, &nobody, 1);
    if (found)
        socket_put(&found->socket);
    return !found;
}
