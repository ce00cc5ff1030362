/*
 * Waiting for any of many files: what poll(2), select(2) and their kin share.
 */
#pragma once
#include "vfs/file.h"

struct poll_item {
    struct file *file; /* reference of the caller's, or NULL: skipped */
    uint32_t wanted;   /* events to wait for: EPOLLERR and EPOLLHUP only if named */
    uint32_t got;      /* out: those that hold */
};

/* Sleeps until at least one item has got something: how many have. 0: the deadline has passed;
 * -ERESTARTSYS (interrupted), -ENOMEM. An item whose `got` is set beforehand counts as it is. */
NODISCARD int poll_many(struct poll_item *items, unsigned count, int64_t deadline);
