/*
 * NUMA memory policies: mbind(2), set_mempolicy(2), get_mempolicy(2). A sandbox is a machine with one node, so a policy
 * decides nothing; it is checked, remembered (in the task, in areas) and given back, as a Linux with one node does.
 *
 * A policy is one word: the mode with its mode flags, and whether its set of nodes holds the node.
 */
#pragma once
#include "base/base.h"

#define POLICY_NODE_0 (1u << 31) /* the set is {0}, not empty */
#define POLICY_MODE(p) ((p) & 0xffff)

/* Words of a guest's node mask, and what is wrong with it. */
NODISCARD int policy_read_nodes(uaddr_t mask, uint64_t maxnode, bool *ret_node_0, bool *ret_any);
/* A mode and its nodes made one: -EINVAL. */
NODISCARD int policy_make(unsigned mode, uaddr_t mask, uint64_t maxnode, uint32_t *ret);

int64_t do_mbind(uaddr_t start, uint64_t len, unsigned mode, uaddr_t mask, uint64_t maxnode, unsigned flags);
int64_t do_set_mempolicy(unsigned mode, uaddr_t mask, uint64_t maxnode);
int64_t do_get_mempolicy(uaddr_t ret_mode, uaddr_t mask, uint64_t maxnode, uaddr_t addr, unsigned flags);
int64_t do_set_home_node(uaddr_t start, uint64_t len, uint64_t node, uint64_t flags);
int64_t do_migrate_pages(int32_t pid, uint64_t maxnode, uaddr_t old_mask, uaddr_t new_mask);
int64_t do_move_pages(int32_t pid, uint64_t count, uaddr_t pages, uaddr_t nodes, uaddr_t status, int flags);
