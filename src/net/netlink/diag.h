/* What the families of NETLINK_SOCK_DIAG share: sock_diag(7). */
#pragma once
#include "net/netlink/netlink.h"

typedef int diag_handler(struct netlink_request *q, bool dump);
diag_handler diag_unix, diag_netlink;

/* Calls visit for every socket of the domain in ns, until it gives something else than 0. */
typedef int diag_visit(struct socket *s, void *arg);
int diag_each(struct net_namespace *ns, int domain, diag_visit *visit, void *arg);
void diag_cookie(const struct socket *s, uint32_t ret[2]);
bool diag_cookie_matches(const struct socket *s, const uint32_t wanted[2]);
void diag_meminfo(struct nl_writer *w, int type, const struct socket *s, size_t received, size_t sent);
