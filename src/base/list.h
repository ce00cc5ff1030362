/*
 * Intrusive doubly linked list.
 *
 * A list is a circular chain through `struct list` nodes embedded in its elements; the head is a
 * node of its own. A node that is on no list points at itself, so list_del() may be called twice
 * and list_empty() on a node tells whether it is queued. No locking: the owner of the head provides
 * it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

#define LIST_INIT(name) {&(name), &(name)}

#ifndef container_of
#define container_of(ptr, type, member) \
    ((type *)((char *)(1 ? (ptr) : &((type *)0)->member) - offsetof(type, member)))
#endif

static inline void list_init(struct list *node)
{
    node->prev = node->next = node;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_insert_between(struct list *node, struct list *prev, struct list *next)
{
    node->prev = prev;
    node->next = next;
    prev->next = node;
    next->prev = node;
}

/* Adds `node` at the front. */
static inline void list_add(struct list *head, struct list *node)
{
    list_insert_between(node, head, head->next);
}

/* Adds `node` at the back; with an element as `head`, just before that element. */
static inline void list_add_tail(struct list *head, struct list *node)
{
    list_insert_between(node, head->prev, head);
}

static inline void list_del(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Moves everything on `from` to the back of `to`; `from` ends empty. */
static inline void list_splice_tail(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)

/* The first or last element, or NULL. */
#define list_first(head, type, member) \
    (list_empty(head) ? (type *)NULL : list_entry((head)->next, type, member))
#define list_last(head, type, member) \
    (list_empty(head) ? (type *)NULL : list_entry((head)->prev, type, member))

#define list_for_each(it, head, member)                                                  \
    for (it = list_entry((head)->next, __typeof__(*it), member); &it->member != (head); \
         it = list_entry(it->member.next, __typeof__(*it), member))

/* As list_for_each, but the body may remove `it`. `tmp` is a second cursor of the same type. */
#define list_for_each_safe(it, tmp, head, member)                                   \
    for (it = list_entry((head)->next, __typeof__(*it), member),                    \
        tmp = list_entry(it->member.next, __typeof__(*it), member);                 \
         &it->member != (head);                                                     \
         it = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))
