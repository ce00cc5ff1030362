/*
 * SO_ATTACH_FILTER: a classic BPF program that says how much of each message a socket wants: socket(7).
 */
#pragma once
#include "net/socket.h"
#include <linux/filter.h>

/* From the guest's struct sock_fprog: 0 or -errno. Replaces the one before. */
NODISCARD int socket_filter_attach(struct socket *s, const void *fprog, socklen_t len);
NODISCARD int socket_filter_detach(struct socket *s); /* -ENOENT */
/* How many bytes of the message to keep; 0: drop it. Any context. */
size_t socket_filter_run(struct socket *s, const void *data, size_t len);
void socket_filter_free(struct socket *s); /* with the socket */
