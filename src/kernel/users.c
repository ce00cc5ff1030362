/* The table behind kernel/users.h: a red-black tree by uid under one spinlock. */
#include "kernel/users.h"
#include "base/rbtree.h"
#include "kernel/pid.h"
#include "sched/spinlock.h"
#include <stdlib.h>

struct user {
    struct rb_node node;
    uint32_t uid;
    unsigned tasks;
};

static struct spinlock users_lock = SPINLOCK_INIT;
static struct rb_root users; /* [users_lock] */
static unsigned total;       /* [users_lock] */

/* The user, or NULL with the place to insert it. lock held. */
static struct user *user_find(uint32_t uid, struct rb_node **ret_parent, struct rb_node ***ret_link)
{
    struct rb_node **link = &users.node, *parent = NULL;
    while (*link) {
        struct user *u = rb_entry(*link, struct user, node);
        if (u->uid == uid)
            return u;
        parent = *link;
        link = uid < u->uid ? &parent->left : &parent->right;
    }
    *ret_parent = parent;
    *ret_link = link;
    return NULL;
}

int user_task_add(uint32_t uid, uint64_t limit)
{
    struct user *fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return -ENOMEM;
    struct rb_node *parent, **link;
    int err = 0;
    spin_lock(&users_lock);
    struct user *u = user_find(uid, &parent, &link);
    if (total >= TASKS_MAX || (u ? u->tasks : 0) >= limit) {
        err = -EAGAIN;
    } else {
        if (!u) {
            u = fresh;
            fresh = NULL;
            u->uid = uid;
            rb_insert(&users, &u->node, parent, link);
        }
        u->tasks++;
        total++;
    }
    spin_unlock(&users_lock);
    free(fresh);
    return err;
}

void user_task_remove(uint32_t uid)
{
    struct rb_node *parent, **link;
    spin_lock(&users_lock);
    struct user *u = user_find(uid, &parent, &link);
    assert_always(u && u->tasks > 0);
    total--;
    if (--u->tasks == 0)
        rb_erase(&users, &u->node);
    else
        u = NULL;
    spin_unlock(&users_lock);
    free(u);
}

unsigned user_task_count(uint32_t uid)
{
    struct rb_node *parent, **link;
    spin_lock(&users_lock);
    struct user *u = user_find(uid, &parent, &link);
    unsigned n = u ? u->tasks : 0;
    spin_unlock(&users_lock);
    return n;
}

unsigned task_total(void)
{
    spin_lock(&users_lock);
    unsigned n = total;
    spin_unlock(&users_lock);
    return n;
}
