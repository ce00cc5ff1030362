/*
 * The network of the host by way of the broker (broker/protocol.h): an inet_backend for the sandbox's
 * first namespace. Sockets are made by the broker and handed over; bytes go straight between the
 * host's socket and the guest, without waiting in the host; readiness is a host event.
 *
 * A local address with nobody behind it inside is the host's: its loopback servers can be reached.
 * What listens inside listens on the host as well, where the port is free.
 */
#pragma once
#include "base/base.h"

/* At boot: fd is the socket to the broker. Asks it for the network and shows that inside. */
NODISCARD int broker_backend_init(int fd);
