/*
 * The red-black tree: the textbook algorithm with NULL leaves (black). What both halves share is
 * rotate(), written once for both sides.
 */
#include "base/rbtree.h"

static bool is_red(const struct rb_node *n)
{
    return n && n->red;
}

/* The child of `n` on the left (or right) side. */
static struct rb_node **child(struct rb_node *n, bool left)
{
    return left ? &n->left : &n->right;
}

/* Puts `to` (may be NULL) where `from` hangs. */
static void replace(struct rb_root *root, struct rb_node *from, struct rb_node *to)
{
    if (!from->parent)
        root->node = to;
    else
        *child(from->parent, from->parent->left == from) = to;
    if (to)
        to->parent = from->parent;
}

/* Moves `n` down to its left (or right) side; its child on the other side takes its place. */
static void rotate(struct rb_root *root, struct rb_node *n, bool left)
{
    struct rb_node *up = *child(n, !left);
    struct rb_node *inner = *child(up, left);
    replace(root, n, up);
    *child(up, left) = n;
    n->parent = up;
    *child(n, !left) = inner;
    if (inner)
        inner->parent = n;
}

void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
    *node = (struct rb_node){.parent = parent, .red = true};
    *link = node;
    while (is_red(node->parent)) {
        parent = node->parent;
        struct rb_node *grand = parent->parent;
        bool left = parent == grand->left;
        struct rb_node *uncle = *child(grand, !left);
        if (is_red(uncle)) {
            parent->red = uncle->red = false;
            grand->red = true;
            node = grand;
            continue;
        }
        if (node == *child(parent, !left)) {
            rotate(root, parent, left);
            parent = node;
        }
        parent->red = false;
        grand->red = true;
        rotate(root, grand, !left);
        break;
    }
    root->node->red = false;
}

/* The subtree `n` (may be NULL) below `parent` is one black short: repair. */
static void rebalance(struct rb_root *root, struct rb_node *n, struct rb_node *parent)
{
    while (parent && !is_red(n)) {
        bool left = parent->left == n;
        struct rb_node *sibling = *child(parent, !left);
        if (sibling->red) {
            sibling->red = false;
            parent->red = true;
            rotate(root, parent, left);
            sibling = *child(parent, !left);
        }
        if (!is_red(sibling->left) && !is_red(sibling->right)) {
            sibling->red = true;
            n = parent;
            parent = n->parent;
            continue;
        }
        if (!is_red(*child(sibling, !left))) {
            (*child(sibling, left))->red = false;
            sibling->red = true;
            rotate(root, sibling, !left);
            sibling = *child(parent, !left);
        }
        sibling->red = parent->red;
        parent->red = false;
        (*child(sibling, !left))->red = false;
        rotate(root, parent, left);
        return;
    }
    if (n)
        n->red = false;
}

/* Takes out a node that has at most one child. */
static void erase_simple(struct rb_root *root, struct rb_node *node)
{
    struct rb_node *only = node->left ? node->left : node->right;
    replace(root, node, only);
    if (!node->red)
        rebalance(root, only, node->parent);
}

void rb_erase(struct rb_root *root, struct rb_node *node)
{
    if (!node->left || !node->right) {
        erase_simple(root, node);
        return;
    }
    /* The successor has no left child: take it out, then let it stand in for the node. */
    struct rb_node *next = rb_next(node);
    erase_simple(root, next);
    replace(root, node, next);
    next->red = node->red;
    next->left = node->left;
    next->right = node->right;
    if (next->left)
        next->left->parent = next;
    if (next->right)
        next->right->parent = next;
}

static struct rb_node *outermost(struct rb_node *n, bool left)
{
    while (n && *child(n, left))
        n = *child(n, left);
    return n;
}

static struct rb_node *neighbour(const struct rb_node *node, bool left)
{
    struct rb_node *n = (struct rb_node *)node;
    if (*child(n, left))
        return outermost(*child(n, left), !left);
    while (n->parent && n == *child(n->parent, left))
        n = n->parent;
    return n->parent;
}

struct rb_node *rb_first(const struct rb_root *root)
{
    return outermost(root->node, true);
}

struct rb_node *rb_last(const struct rb_root *root)
{
    return outermost(root->node, false);
}

struct rb_node *rb_next(const struct rb_node *node)
{
    return neighbour(node, false);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
    return neighbour(node, true);
}
