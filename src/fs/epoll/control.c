/*
 * Registrations: epoll_ctl(2), and their end with the watched file. See epoll.h.
 */
#include "fs/epoll/epoll.h"
#include <stdlib.h>

#define ALLOWED_EXCLUSIVE (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define CONTROL_BITS (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)

struct mutex epoll_graph_lock = MUTEX_INIT(epoll_graph_lock);
static struct spinlock links_lock = SPINLOCK_INIT;

/* One entry on one of the file's queues. */
struct epoll_hook {
    struct epoll_hook *next;
    struct wait_entry wait;
    struct epoll_item *item;
};

struct registration {
    struct poll_table table;
    struct epoll_item *item;
    bool failed;
};

static bool item_woken(struct wait_entry *e, uint32_t events)
{
    struct epoll_item *item = container_of(e, struct epoll_hook, wait)->item;
    uint32_t wanted = item->events & ~CONTROL_BITS;
    if (!wanted || (events && !(events & wanted)))
        return false;
    epoll_item_make_ready(item, events);
    return true;
}

static void hook_queue(struct poll_table *table, struct wait_queue *q)
{
    struct registration *r = container_of(table, struct registration, table);
    struct epoll_hook *hook = malloc(sizeof(*hook));
    if (!hook) {
        r->failed = true;
        return;
    }
    wait_entry_init(&hook->wait, item_woken);
    hook->wait.exclusive = r->item->events & EPOLLEXCLUSIVE;
    hook->item = r->item;
    hook->next = r->item->hooks;
    r->item->hooks = hook;
    wait_add(q, &hook->wait);
}

/* ---- the tree ---- */

static int compare(const struct epoll_item *item, const struct file *file, int fd)
{
    if (item->file != file)
        return (uintptr_t)file < (uintptr_t)item->file ? -1 : 1;
    return fd - item->fd;
}

/* The registration, or NULL and where it would be linked. */
static struct epoll_item *find(struct epoll *set, const struct file *file, int fd, struct rb_node **ret_parent,
                               struct rb_node ***ret_link)
{
    struct rb_node **link = &set->items.node, *parent = NULL;
    while (*link) {
        parent = *link;
        struct epoll_item *item = rb_entry(parent, struct epoll_item, node);
        int c = compare(item, file, fd);
        if (c == 0)
            return item;
        link = c < 0 ? &parent->left : &parent->right;
    }
    *ret_parent = parent;
    *ret_link = link;
    return NULL;
}

void epoll_item_remove(struct epoll_item *item)
{
    struct epoll *set = item->set;
    while (item->hooks) {
        struct epoll_hook *hook = item->hooks;
        item->hooks = hook->next;
        wait_remove(&hook->wait); /* no callback runs after this */
        free(hook);
    }
    spin_lock(&links_lock);
    list_del(&item->file_link);
    spin_unlock(&links_lock);
    spin_lock(&set->ready_lock);
    list_del(&item->ready_link);
    spin_unlock(&set->ready_lock);
    rb_erase(&set->items, &item->node);
    set->count--;
    free(item);
}

/* ---- sets in sets: epoll_graph_lock held ---- */

/* How deep sets nest below `set`, itself counted; more than EPOLL_MAX_DEPTH when it is too deep or
 * contains `needle`. */
static int depth_below(struct epoll *set, struct epoll *needle, int limit)
{
    int deepest = 0;
    if (set == needle || limit == 0)
        return EPOLL_MAX_DEPTH + 1;
    MUTEX_GUARD(&set->lock);
    for (struct rb_node *node = rb_first(&set->items); node; node = rb_next(node)) {
        struct epoll *inner = epoll_of(rb_entry(node, struct epoll_item, node)->file);
        if (inner)
            deepest = MAX(deepest, depth_below(inner, needle, limit - 1));
    }
    return deepest + 1;
}

/* How many sets are stacked above `set`. The sets above live on: their end takes epoll_graph_lock.
 * */
static int depth_above(struct epoll *set, int limit)
{
    struct epoll *above[16];
    unsigned count = 0;
    int highest = 0;
    struct epoll_item *item;
    if (limit == 0)
        return EPOLL_MAX_DEPTH + 1;
    spin_lock(&links_lock);
    list_for_each(item, &set->file->epoll_items, file_link)
        if (count < ARRAY_SIZE(above))
            above[count++] = item->set;
    spin_unlock(&links_lock);
    for (unsigned i = 0; i < count; i++)
        highest = MAX(highest, depth_above(above[i], limit - 1) + 1);
    return highest;
}

static int check_nesting(struct epoll *set, struct epoll *inner)
{
    int below = depth_below(inner, set, EPOLL_MAX_DEPTH);
    if (below > EPOLL_MAX_DEPTH)
        return -ELOOP;
    return below + depth_above(set, EPOLL_MAX_DEPTH) > EPOLL_MAX_DEPTH - 1 ? -ELOOP : 0;
}

/* ---- epoll_ctl ---- */

static int item_add(struct epoll *set, int fd, struct file *file, const struct epoll_event *event)
{
    struct rb_node *parent, **link;
    if (find(set, file, fd, &parent, &link))
        return -EEXIST;
    struct epoll_item *item = calloc(1, sizeof(*item));
    if (!item)
        return -ENOMEM;
    item->set = set;
    item->file = file;
    item->fd = fd;
    item->events = event->events;
    item->data = event->data.u64;
    list_init(&item->ready_link);
    rb_insert(&set->items, &item->node, parent, link);
    set->count++;
    spin_lock(&links_lock);
    list_add_tail(&file->epoll_items, &item->file_link);
    spin_unlock(&links_lock);
    struct registration r = {{hook_queue}, item, false};
    uint32_t got = epoll_item_poll(item, &r.table);
    if (r.failed) {
        epoll_item_remove(item);
        return -ENOMEM;
    }
    if (got)
        epoll_item_make_ready(item, got);
    return 0;
}

static int item_modify(struct epoll_item *item, const struct epoll_event *event)
{
    if (item->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    item->data = event->data.u64;
    item->events = event->events;
    uint32_t got = epoll_item_poll(item, NULL);
    if (got)
        epoll_item_make_ready(item, got);
    return 0;
}

static int control_locked(struct epoll *set, int op, int fd, struct file *file, const struct epoll_event *event)
{
    struct rb_node *parent, **link;
    MUTEX_GUARD(&set->lock);
    if (op == EPOLL_CTL_ADD)
        return item_add(set, fd, file, event);
    struct epoll_item *item = find(set, file, fd, &parent, &link);
    if (!item)
        return -ENOENT;
    if (op == EPOLL_CTL_MOD)
        return item_modify(item, event);
    epoll_item_remove(item);
    return 0;
}

int epoll_control(struct epoll *set, int op, int fd, struct file *file, const struct epoll_event *event)
{
    struct epoll_event ev = op == EPOLL_CTL_DEL ? (struct epoll_event){0} : *event;
    struct epoll *inner = epoll_of(file);
    if (!file->ops->poll)
        return -EPERM;
    if (inner == set)
        return -EINVAL;
    if (ev.events & EPOLLEXCLUSIVE) {
        if (op == EPOLL_CTL_MOD || (op == EPOLL_CTL_ADD && (inner || (ev.events & ~ALLOWED_EXCLUSIVE))))
            return -EINVAL;
    }
    if (op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD && op != EPOLL_CTL_DEL)
        return -EINVAL;
    ev.events |= EPOLLERR | EPOLLHUP;
    if (op != EPOLL_CTL_ADD || !inner)
        return control_locked(set, op, fd, file, &ev);
    MUTEX_GUARD(&epoll_graph_lock);
    int err = check_nesting(set, inner);
    return err < 0 ? err : control_locked(set, op, fd, file, &ev);
}

/* ---- the watched file ends ---- */

static struct epoll_item *first_item(struct file *file)
{
    spin_lock(&links_lock);
    struct epoll_item *item = list_first(&file->epoll_items, struct epoll_item, file_link);
    spin_unlock(&links_lock);
    return item;
}

/* Its last reference has gone. Items cannot go at the same time: sets end under epoll_graph_lock,
 * too, and EPOLL_CTL_DEL needs a reference to the file. */
static void file_ends(struct file *file)
{
    struct epoll_item *item;
    MUTEX_GUARD(&epoll_graph_lock);
    while ((item = first_item(file))) {
        struct epoll *set = item->set;
        mutex_lock(&set->lock);
        epoll_item_remove(item);
        mutex_unlock(&set->lock);
    }
}

void epoll_init(void)
{
    file_epoll_release = file_ends;
}
