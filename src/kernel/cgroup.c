/* The tree of control groups: making, finding and removing them; and cgroup namespaces. See
 * cgroup.h. */
#include "kernel/cgroup.h"
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "kernel/cgroup_private.h"
#include "kernel/fdtable.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include "vfs/file.h"
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define CGROUPS_MAX 20000
#define DEPTH_MAX 64 /* walks go up from every task */

struct mutex cgroup_mutex;
struct cgroup *(*cgroup_of_inode)(struct inode *inode);
static struct cgroup *root;
static unsigned cgroup_count; /* [cgroup_mutex] */

struct cgroup *cgroup_root(void)
{
    return root;
}

/* ---- life ---- */

static struct cgroup *cgroup_alloc(struct cgroup *parent, const char *name)
{
    static _Atomic uint64_t next_id = 1;
    struct cgroup *cg = calloc(1, sizeof(*cg));
    char *copy = strdup(name);
    if (!cg || !copy) {
        free(cg);
        free(copy);
        return NULL;
    }
    refcount_init(&cg->ref);
    list_init(&cg->children);
    list_init(&cg->sibling);
    wait_queue_init(&cg->events_queue);
    cg->name = copy;
    cg->id = next_id++;
    cg->parent = parent ? cgroup_get(parent) : NULL;
    cg->level = parent ? parent->level + 1 : 0;
    cg->max_depth = cg->max_descendants = CGROUP_MAX;
    cg->pids_max = CGROUP_MAX;
    cg->memory_high = cg->swap_max = cg->swap_high = cg->cpu_quota = CGROUP_MAX;
    cg->memory_max = CGROUP_MAX;
    cg->cpu_weight = cg->io_weight = 100;
    cg->cpu_period = 100000;
    return cg;
}

struct cgroup *cgroup_get(struct cgroup *cg)
{
    refcount_get(&cg->ref);
    return cg;
}

void cgroup_put(struct cgroup *cg)
{
    while (cg && refcount_put(&cg->ref)) {
        struct cgroup *parent = cg->parent;
        free(cg->name);
        free(cg->io_max);
        free(cg);
        cg = parent;
    }
}

/* ---- the tree ---- */

struct cgroup *cgroup_child(struct cgroup *cg, const char *name, size_t len)
{
    struct cgroup *child;
    mutex_assert_held(&cgroup_mutex);
    list_for_each (child, &cg->children, sibling)
        if (strlen(child->name) == len && !memcmp(child->name, name, len))
            return child;
    return NULL;
}

unsigned cgroup_controllers(const struct cgroup *cg)
{
    return cg->parent ? cg->parent->subtree_control : CG_ALL;
}

bool cgroup_within(const struct cgroup *cg, const struct cgroup *top)
{
    while (cg->level > top->level)
        cg = cg->parent;
    return cg == top;
}

static bool room_below(const struct cgroup *parent)
{
    unsigned depth = 1;
    for (const struct cgroup *at = parent; at; at = at->parent, depth++)
        if (at->max_depth < depth || at->max_descendants <= at->descendants)
            return false;
    return parent->level < DEPTH_MAX && cgroup_count < CGROUPS_MAX;
}

static int make_child(struct cgroup *parent, const char *name, struct cgroup **ret)
{
    if (parent->dead)
        return -ENOENT;
    if (cgroup_child(parent, name, strlen(name)) || cgroup_file_named(name))
        return -EEXIST;
    if (!room_below(parent))
        return -EAGAIN;
    struct cgroup *cg = cgroup_alloc(parent, name);
    if (!cg)
        return -ENOMEM;
    list_add_tail(&parent->children, &cg->sibling);
    for (struct cgroup *up = parent; up; up = up->parent)
        up->descendants++;
    cgroup_count++;
    *ret = cgroup_get(cg); /* one is the tree's */
    return 0;
}

int cgroup_mkdir(struct cgroup *parent, const char *name, struct cgroup **ret)
{
    if (!*name || strlen(name) > CGROUP_NAME_MAX || strpbrk(name, "/\n"))
        return -EINVAL;
    MUTEX_GUARD(&cgroup_mutex);
    return make_child(parent, name, ret);
}

int cgroup_rmdir(struct cgroup *cg)
{
    MUTEX_GUARD(&cgroup_mutex);
    if (cg->dead)
        return -ENOENT;
    spin_lock(&tasklist_lock);
    bool busy = !cg->parent || cg->live || !list_empty(&cg->children);
    cg->dead = !busy;
    spin_unlock(&tasklist_lock);
    if (busy)
        return -EBUSY;
    list_del(&cg->sibling);
    list_init(&cg->sibling);
    for (struct cgroup *up = cg->parent; up; up = up->parent)
        up->descendants--;
    cgroup_count--;
    cgroup_put(cg);
    return 0;
}

/* One component of a path from the root: the rest, or NULL at the end. */
static const char *next_component(const char *at, char name[CGROUP_NAME_MAX + 1], int *ret_err)
{
    at += strspn(at, "/");
    size_t len = strcspn(at, "/");
    *ret_err = 0;
    if (!len)
        return NULL;
    if (len > CGROUP_NAME_MAX || (at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.'))))
        *ret_err = -EINVAL;
    else
        memcpy(name, at, len);
    name[MIN(len, (size_t)CGROUP_NAME_MAX)] = '\0';
    return at + len;
}

static int walk(const char *path, bool make, struct cgroup **ret)
{
    char name[CGROUP_NAME_MAX + 1];
    struct cgroup *at = root;
    int err;
    MUTEX_GUARD(&cgroup_mutex);
    while ((path = next_component(path, name, &err))) {
        struct cgroup *child = err ? NULL : cgroup_child(at, name, strlen(name));
        if (!err && !child && make) {
            err = make_child(at, name, &child);
            if (!err)
                cgroup_put(child); /* the tree's reference keeps it */
        }
        if (err || !child)
            return err ? err : -ENOENT;
        at = child;
    }
    *ret = cgroup_get(at);
    return 0;
}

int cgroup_create(const char *path, struct cgroup **ret)
{
    return walk(path, true, ret);
}

int cgroup_find(const char *path, struct cgroup **ret)
{
    return walk(path, false, ret);
}

int cgroup_remove(const char *path)
{
    struct cgroup *cg;
    int err = cgroup_find(path, &cg);
    if (err)
        return err;
    err = cgroup_rmdir(cg);
    cgroup_put(cg);
    return err;
}

static void add_names(const struct cgroup *cg, const struct cgroup *top, struct strbuf *out)
{
    const struct cgroup *way[DEPTH_MAX + 2];
    unsigned n = 0;
    for (; cg != top; cg = cg->parent)
        way[n++] = cg;
    while (n--)
        strbuf_printf(out, "/%s", way[n]->name);
}

void cgroup_path(const struct cgroup *cg, const struct cgroup *top, struct strbuf *out)
{
    const struct cgroup *common = top;
    while (!cgroup_within(cg, common)) {
        strbuf_puts(out, "/..");
        common = common->parent;
    }
    add_names(cg, common, out);
    if (cg == top)
        strbuf_putc(out, '/');
}

int cgroup_from_fd(int fd, struct cgroup **ret)
{
    CLEANUP_FILE struct file *file = NULL;
    if (fd_file_any(fd, &file))
        return -EBADF;
    struct cgroup *cg = cgroup_of_inode ? cgroup_of_inode(file->inode) : NULL;
    if (!cg)
        return -EBADF;
    *ret = cgroup_get(cg);
    mutex_lock(&cgroup_mutex);
    cgroup_memory_watch(cg); /* somebody is about to come */
    mutex_unlock(&cgroup_mutex);
    return 0;
}

/* ---- namespaces ---- */

static const struct ns_kind cgroup_ns_kind;
static struct cgroup_namespace root_cgroup_ns = {.common = NS_COMMON_INIT(&cgroup_ns_kind, NS_ID_CGROUP)};

struct cgroup *current_cgroup_root(void)
{
    struct task *t = current;
    return t ? t->ns.cgroup->root : root;
}

static int cgroup_ns_copy(struct ns_common *from, struct user_namespace *owner, struct ns_common **ret)
{
    struct cgroup_namespace *ns = calloc(1, sizeof(*ns));
    if (!ns)
        return -ENOMEM;
    ns_init(&ns->common, &cgroup_ns_kind, owner);
    spin_lock(&tasklist_lock);
    ns->root = cgroup_get(current && current->cgroup ? current->cgroup : root);
    spin_unlock(&tasklist_lock);
    *ret = &ns->common;
    return 0;
}

static void cgroup_ns_free(struct ns_common *common)
{
    struct cgroup_namespace *ns = container_of(common, struct cgroup_namespace, common);
    cgroup_put(ns->root);
    free(ns);
}

static const struct ns_kind cgroup_ns_kind = {
    .name = "cgroup",
    .flag = CLONE_NEWCGROUP,
    .slot = NS_SLOT_CGROUP,
    .copy = cgroup_ns_copy,
    .free = cgroup_ns_free,
};

int cgroup_init(void)
{
    mutex_init(&cgroup_mutex);
    cgroup_hierarchies_init();
    root = cgroup_alloc(NULL, "");
    if (!root)
        return -ENOMEM;
    root_cgroup_ns.root = root;
    ns_kind_register(&cgroup_ns_kind, &root_cgroup_ns.common);
    return 0;
}
