/*
 * Intrusive red-black tree, ordered by a comparison the caller makes while descending.
 *
 * To insert: walk from root->node with rb_left/rb_right links to the empty link, then
 * rb_insert(root, node, parent, link). Iterate with rb_first/rb_next. No locking.
 */
#pragma once
#include "base/base.h"

struct rb_node {
    struct rb_node *parent, *left, *right;
    bool red;
};

struct rb_root {
    struct rb_node *node;
};

#define rb_entry(ptr, type, member) container_of(ptr, type, member)

void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent, struct rb_node **link);
void rb_erase(struct rb_root *root, struct rb_node *node);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);
