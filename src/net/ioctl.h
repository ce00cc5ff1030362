/*
 * The requests of netdevice(7) on a socket of any family: what ifconfig(8), route(8) and arp(8)
 * use. Those about IPv4 addresses, routes and neighbours want an AF_INET socket, as on Linux.
 */
#pragma once
#include "net/socket.h"

int64_t net_ioctl(struct socket *s, unsigned cmd, uaddr_t arg); /* -ENOTTY: none of these */

/* ioctl_inet.c: the second half */
struct ifreq;
bool net_ioctl_is_inet(unsigned cmd);
NODISCARD int net_ioctl_inet_address(struct socket *s, unsigned cmd, struct ifreq *r);
NODISCARD int net_ioctl_ifconf(struct socket *s, uaddr_t arg);
NODISCARD int net_ioctl_route(struct socket *s, unsigned cmd, uaddr_t arg);
NODISCARD int net_ioctl_route6(struct socket *s, unsigned cmd, uaddr_t arg);
NODISCARD int net_ioctl_address6(struct socket *s, unsigned cmd, uaddr_t arg);
NODISCARD int net_ioctl_arp(struct socket *s, unsigned cmd, uaddr_t arg);
