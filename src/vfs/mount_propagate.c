/*
 * Shared subtrees: who is whose peer or slave, and what follows from it when something is mounted
 * or unmounted (mount_namespaces(7)).
 *
 * A shared mount is in a ring of peers that have the same group number. A slave is on the list of
 * one master, which is shared; a slave may be shared itself, and then its peers are slaves of the
 * same group. A walk starts at the mount where something happens, goes round its ring, and on to the
 * slaves of each, group by group; marks keep it from coming twice. mount_lock is held throughout.
 */
#include "kernel/user_namespace.h"
#include "vfs/mount_private.h"
#include <stdlib.h>
#include <sys/mount.h>

static unsigned walk_mark;
static struct list work = LIST_INIT(work); /* of mount.work_link; empty between walks */

static bool is_shared(const struct mount *m)
{
    return m->propagation & MS_SHARED;
}

static struct mount *next_peer(struct mount *m)
{
    return list_entry(m->share_link.next, struct mount, share_link);
}

/* ---- groups ---- */

static void make_shared(struct mount *m)
{
    static int next_group = 1;
    if (!m->peer_group)
        m->peer_group = next_group++;
    m->propagation = MS_SHARED;
}

static void make_tree_shared(struct mount *m)
{
    struct mount *child;
    make_shared(m);
    list_for_each (child, &m->children, child_link)
        make_tree_shared(child);
}

static void set_master(struct mount *m, struct mount *master)
{
    list_del(&m->slave_link);
    list_init(&m->slave_link);
    m->master = master;
    if (master)
        list_add(&master->slaves, &m->slave_link);
}

/* The peer that takes m's place as master: one that shows the same, if there is one. */
static struct mount *best_peer(struct mount *m)
{
    struct mount *peer;
    for (peer = next_peer(m); peer != m; peer = next_peer(peer))
        if (peer->root == m->root)
            return peer;
    return next_peer(m);
}

/* m leaves its peers and is their slave; with none left, that of its own master. */
static void make_slave(struct mount *m)
{
    struct mount *slave, *next, *master = m->master;
    if (next_peer(m) != m) {
        master = best_peer(m);
        list_del(&m->share_link);
        list_init(&m->share_link);
    }
    m->peer_group = 0;
    m->propagation &= ~(uint32_t)MS_SHARED;
    list_for_each_safe (slave, next, &m->slaves, slave_link)
        set_master(slave, master);
    set_master(m, master);
}

void mount_change_propagation(struct mount *m, unsigned type)
{
    if (type == MS_SHARED) {
        make_shared(m);
        return;
    }
    make_slave(m);
    if (type == MS_SLAVE)
        return;
    set_master(m, NULL);
    m->propagation = type == MS_UNBINDABLE ? MS_UNBINDABLE : 0;
}

void mount_copy_propagation(struct mount *copy, struct mount *m, unsigned how)
{
    if (how & COPY_SLAVE || (how & COPY_SHARED_TO_SLAVE && is_shared(m))) {
        set_master(copy, m);
    } else if (!(how & COPY_PRIVATE)) {
        if (how & COPY_SHARED)
            make_shared(m);
        if (is_shared(m)) {
            copy->peer_group = m->peer_group;
            copy->propagation = MS_SHARED;
            list_add(&m->share_link, &copy->share_link);
        }
        if (m->master)
            set_master(copy, m->master);
    }
    if (how & COPY_SHARED)
        make_shared(copy);
}

/* ---- mounting ---- */

/* A copy that is ready, and where it goes. */
struct planned {
    struct list link;
    struct mount *copy, *at;
};

struct plan {
    const struct path *at;
    struct list copies;     /* of planned */
    const struct user_namespace *owner;
};

/* A copy of source for `m`, if m shows the place at all; then *at_source is the copy. */
static int plan_one(struct plan *plan, struct mount *m, unsigned how, struct mount **at_source)
{
    struct mount *copy;
    if (!m->ns || !dentry_is_ancestor(m->root, plan->at->dentry))
        return 0;
    struct planned *p = malloc(sizeof(*p));
    if (!p)
        return -ENOMEM;
    if (m->ns->common.owner != plan->owner)
        how |= COPY_LOCK;
    int err = mount_copy_tree(*at_source, (*at_source)->root, true, how, &copy);
    if (err) {
        free(p);
        return err;
    }
    p->copy = copy;
    p->at = m;
    list_add_tail(&plan->copies, &p->link);
    *at_source = copy;
    return 1;
}

/* The peers of `first` that are not marked yet: the first copy is made `how`, the others are its
 * peers. What their slaves copy from is kept with `first`. */
static int plan_group(struct plan *plan, struct mount *first, struct mount *source, unsigned how, bool own)
{
    struct mount *m = first;
    do {
        m->mark = walk_mark;
        if (m != first || own) {
            int made = plan_one(plan, m, how, &source);
            if (made < 0)
                return made;
            if (made)
                how = COPY_SHARED;
        }
        m = next_peer(m);
    } while (m != first);
    first->work_source = source;
    list_add_tail(&work, &first->work_link);
    return 0;
}

static int plan_slaves(struct plan *plan, struct mount *master)
{
    struct mount *slave;
    list_for_each (slave, &master->slaves, slave_link) {
        if (slave->mark == walk_mark || !slave->ns)
            continue;
        unsigned how = COPY_SLAVE | (is_shared(slave) ? COPY_SHARED : 0);
        int err = plan_group(plan, slave, master->work_source, how, true);
        if (err)
            return err;
    }
    return 0;
}

/* Slaves of every member of the group. */
static int plan_below(struct plan *plan, struct mount *group)
{
    struct mount *m = group;
    int err = 0;
    do {
        m->work_source = group->work_source;
        err = plan_slaves(plan, m);
        m = next_peer(m);
    } while (m != group && !err);
    return err;
}

static int plan_all(struct plan *plan, struct mount *source)
{
    struct mount *group;
    walk_mark++;
    int err = plan_group(plan, plan->at->mount, source, COPY_SHARED, false);
    while ((group = list_first(&work, struct mount, work_link))) {
        list_del(&group->work_link);
        if (!err)
            err = plan_below(plan, group);
    }
    return err;
}

/* On a place that may be taken: what is there then stands on top of the copy. */
static void attach_below(struct mount *copy, const struct path *at)
{
    struct path old;
    struct mount *top = mount_at(at->mount, at->dentry);
    if (top)
        mount_detach(top, &old);
    mount_attach(copy, at);
    if (top) {
        mount_attach(top, &(struct path){copy, copy->root});
        path_put(&old);
    }
    mount_set_namespace(copy, at->mount->ns);
}

static void carry_out(struct plan *plan, int err)
{
    struct planned *p;
    while ((p = list_first(&plan->copies, struct planned, link))) {
        list_del(&p->link);
        if (err)
            mount_dissolve(p->copy);
        else
            attach_below(p->copy, &(struct path){p->at, plan->at->dentry});
        free(p);
    }
}

int mount_attach_tree(struct mount *m, const struct path *at)
{
    struct plan plan = {.at = at, .owner = at->mount->ns->common.owner};
    list_init(&plan.copies);
    if (is_shared(at->mount)) {
        make_tree_shared(m);
        int err = plan_all(&plan, m);
        if (err) {
            carry_out(&plan, err);
            return err;
        }
    }
    mount_attach(m, at);
    mount_set_namespace(m, at->mount->ns);
    carry_out(&plan, 0);
    return 0;
}

/* ---- unmounting ---- */

typedef bool visit_fn(struct mount *m, void *arg); /* false stops the walk */

/* Everybody whom m propagates to, m's peers first, but not m. */
static void visit_propagation(struct mount *m, visit_fn *visit, void *arg)
{
    struct mount *at, *other;
    bool go_on = true;
    walk_mark++;
    m->mark = walk_mark;
    list_add_tail(&work, &m->work_link);
    while ((at = list_first(&work, struct mount, work_link))) {
        list_del(&at->work_link);
        if (!go_on)
            continue;
        if (at != m)
            go_on = visit(at, arg);
        for (other = next_peer(at); other != at; other = next_peer(other)) {
            if (other->mark != walk_mark)
                list_add_tail(&work, &other->work_link);
            other->mark = walk_mark;
        }
        list_for_each (other, &at->slaves, slave_link) {
            if (other->mark != walk_mark)
                list_add_tail(&work, &other->work_link);
            other->mark = walk_mark;
        }
    }
}

/* The one mount that covers m wholly, if that is all there is on it. */
static struct mount *topper_of(struct mount *m)
{
    struct mount *child = list_first(&m->children, struct mount, child_link);
    if (!child || child->child_link.next != &m->children || child->mountpoint != m->root)
        return NULL;
    return child;
}

struct likes {
    struct dentry *mountpoint;
    bool busy;
    struct mount *found[64]; /* collected before anything changes; the rest comes in a further walk */
    unsigned count;
};

static bool collect_like(struct mount *m, void *arg)
{
    struct likes *likes = arg;
    struct mount *child = mount_at(m, likes->mountpoint);
    if (!child || child->locked || (!list_empty(&child->children) && !topper_of(child)))
        return true;
    likes->found[likes->count++] = child;
    return likes->count < ARRAY_SIZE(likes->found);
}

static bool check_like(struct mount *m, void *arg)
{
    struct likes *likes = arg;
    struct mount *child = mount_at(m, likes->mountpoint);
    if (!child)
        return true;
    struct mount *topper = topper_of(child);
    if (!topper && !list_empty(&child->children))
        return true;
    likes->busy = refcount_read(&child->ref) > (topper ? 2 : 1);
    return !likes->busy;
}

bool mount_propagation_busy(struct mount *m, uint32_t refs)
{
    struct likes likes = {.mountpoint = m->mountpoint};
    if (!list_empty(&m->children) || refcount_read(&m->ref) > refs)
        return true;
    visit_propagation(m->parent, check_like, &likes);
    return likes.busy;
}

/* What covers it takes its place. */
static void remove_one(struct mount *m)
{
    struct path place, old;
    struct mount *topper = topper_of(m);
    if (topper)
        mount_detach(topper, &old);
    mount_detach(m, &place);
    if (topper) {
        mount_attach(topper, &place);
        path_put(&old);
    }
    path_put(&place);
    mount_dissolve(m);
}

static void remove_likes(struct mount *parent, struct dentry *mountpoint)
{
    struct likes likes;
    do {
        likes = (struct likes){.mountpoint = mountpoint};
        visit_propagation(parent, collect_like, &likes);
        for (unsigned i = 0; i < likes.count; i++)
            remove_one(likes.found[i]);
    } while (likes.count == ARRAY_SIZE(likes.found));
}

void mount_umount_tree(struct mount *m)
{
    struct mount *child;
    struct path place;
    mount_get(m); /* a child's likes may include m itself */
    while ((child = list_first(&m->children, struct mount, child_link)))
        mount_umount_tree(child);
    if (m->parent) {
        mount_detach(m, &place);
        remove_likes(place.mount, place.dentry);
        path_put(&place);
        mount_dissolve(m);
    }
    mount_put(m);
}
