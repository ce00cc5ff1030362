/* Policies of tasks and areas. See mempolicy.h. */
#include "mm/mempolicy.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "kernel/trace_access.h"
#include "mm/area.h"
#include "mm/uaccess.h"
#include <linux/capability.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>

#ifndef MPOL_PREFERRED_MANY
#define MPOL_PREFERRED_MANY 5
#endif
#define MPOL_WEIGHTED 6
#define MPOL_MODES 7
#define STATIC_NODES (1u << 15)
#define RELATIVE_NODES (1u << 14)
#define BALANCING (1u << 13)
#define MODE_FLAGS (STATIC_NODES | RELATIVE_NODES | BALANCING)
#define MOVE_FLAGS (MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)
#define NODES_MAX 1024 /* a mask may have bits up to this */
#define WORD_BITS 64

/* ---- node masks ---- */

/* One word of the mask: bits of nodes that no Linux has are refused. */
static int check_word(uint64_t word, uint64_t first_bit, uint64_t maxnode, bool *node_0, bool *any)
{
    if (maxnode - first_bit < WORD_BITS)
        word &= (1ULL << (maxnode - first_bit)) - 1;
    if (first_bit >= NODES_MAX && word)
        return -EINVAL;
    *node_0 |= first_bit == 0 && word & 1;
    *any |= word != 0;
    return 0;
}

int policy_read_nodes(uaddr_t mask, uint64_t maxnode, bool *ret_node_0, bool *ret_any)
{
    *ret_node_0 = *ret_any = false;
    if (maxnode <= 1 || !mask)
        return 0;
    maxnode--;
    if (maxnode > PAGE_SIZE * 8)
        return -EINVAL;
    for (uint64_t bit = 0; bit < maxnode; bit += WORD_BITS) {
        uint64_t word;
        if (get_user(&word, mask + bit / 8))
            return -EFAULT;
        int err = check_word(word, bit, maxnode, ret_node_0, ret_any);
        if (err < 0)
            return err;
    }
    return 0;
}

static int check_mode(unsigned mode)
{
    unsigned kind = mode & ~MODE_FLAGS;
    if (kind >= MPOL_MODES || (mode & STATIC_NODES && mode & RELATIVE_NODES))
        return -EINVAL;
    if (mode & BALANCING && kind != MPOL_BIND && kind != MPOL_PREFERRED_MANY)
        return -EINVAL;
    return 0;
}

static int combine(unsigned mode, bool node_0, bool any, uint32_t *ret)
{
    unsigned kind = mode & ~MODE_FLAGS;
    bool how_nodes = mode & (STATIC_NODES | RELATIVE_NODES);
    *ret = mode;
    if (kind == MPOL_DEFAULT) {
        *ret = MPOL_DEFAULT;
        return any ? -EINVAL : 0;
    }
    if (kind == MPOL_LOCAL || (kind == MPOL_PREFERRED && !any)) {
        *ret = MPOL_LOCAL;
        return any || how_nodes ? -EINVAL : 0;
    }
    if (!any || (!node_0 && !(mode & RELATIVE_NODES)))
        return -EINVAL;
    *ret |= POLICY_NODE_0;
    return 0;
}

int policy_make(unsigned mode, uaddr_t mask, uint64_t maxnode, uint32_t *ret)
{
    bool node_0, any;
    int err = check_mode(mode);
    if (err == 0)
        err = policy_read_nodes(mask, maxnode, &node_0, &any);
    return err < 0 ? err : combine(mode, node_0, any, ret);
}

/* ---- policies ---- */

int64_t do_set_mempolicy(unsigned mode, uaddr_t mask, uint64_t maxnode)
{
    uint32_t policy;
    int err = policy_make(mode, mask, maxnode, &policy);
    if (err == 0)
        current->mempolicy = policy;
    return err;
}

static int bind_range(struct mm *mm, uaddr_t start, uaddr_t end, uint32_t policy)
{
    if (!area_range_full(mm, start, end))
        return -EFAULT;
    int err = area_prepare(mm, start, end);
    if (err < 0)
        return err;
    for (struct area *a = mm_first_area(mm, start); a && a->start < end; a = area_next(a))
        a->policy = policy;
    area_merge(mm, start, end);
    return 0;
}

int64_t do_mbind(uaddr_t start, uint64_t len, unsigned mode, uaddr_t mask, uint64_t maxnode, unsigned flags)
{
    bool node_0, any;
    uint32_t policy;
    uint64_t size = align_up(len, PAGE_SIZE);
    int err = check_mode(mode);
    if (err == 0)
        err = policy_read_nodes(mask, maxnode, &node_0, &any);
    if (err < 0)
        return err;
    if (flags & ~(unsigned)MOVE_FLAGS)
        return -EINVAL;
    if (flags & MPOL_MF_MOVE_ALL && !capable(CAP_SYS_NICE))
        return -EPERM;
    if (start & ~PAGE_MASK || start + size < start)
        return -EINVAL;
    if (size == 0)
        return 0;
    err = combine(mode, node_0, any, &policy);
    if (err < 0)
        return err;
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    return bind_range(mm, start, start + size, policy);
}

int64_t do_set_home_node(uaddr_t start, uint64_t len, uint64_t node, uint64_t flags)
{
    uint64_t size = align_up(len, PAGE_SIZE);
    int found = -ENOENT;
    if (start & ~PAGE_MASK || flags || node != 0 || start + size < start)
        return -EINVAL;
    if (size == 0)
        return 0;
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    for (struct area *a = mm_first_area(mm, start); a && a->start < start + size; a = area_next(a)) {
        unsigned kind = POLICY_MODE(a->policy) & ~MODE_FLAGS;
        if (kind == MPOL_DEFAULT)
            continue;
        if (kind != MPOL_BIND && kind != MPOL_PREFERRED_MANY)
            return -EOPNOTSUPP;
        found = 0;
    }
    return found;
}

/* ---- asking ---- */

static int give_mask(uaddr_t mask, uint64_t maxnode, bool node_0)
{
    uint64_t word = node_0, bytes = align_up(maxnode - 1, WORD_BITS) / 8;
    if (!mask)
        return 0;
    if (bytes > sizeof(word) && bytes > PAGE_SIZE)
        return -EINVAL;
    if (bytes > sizeof(word) && clear_user(mask + sizeof(word), bytes - sizeof(word)))
        return -EFAULT;
    return copy_to_user(mask, &word, MIN(bytes, sizeof(word))) ? -EFAULT : 0;
}

static int policy_at(uaddr_t addr, uint32_t *ret)
{
    struct mm *mm = current->mm;
    MUTEX_GUARD(&mm->lock);
    struct area *a = mm_find_area(mm, addr);
    if (!a)
        return -EFAULT;
    *ret = a->policy ? a->policy : current->mempolicy;
    return 0;
}

/* What MPOL_F_NODE asks for: where a page is, or goes next. */
static int node_of(uaddr_t addr, unsigned flags)
{
    unsigned kind = POLICY_MODE(current->mempolicy) & ~MODE_FLAGS;
    char byte;
    if (flags & MPOL_F_ADDR)
        return get_user(&byte, addr) ? -EFAULT : 0;
    return kind == MPOL_INTERLEAVE || kind == MPOL_WEIGHTED ? 0 : -EINVAL;
}

int64_t do_get_mempolicy(uaddr_t ret_mode, uaddr_t mask, uint64_t maxnode, uaddr_t addr, unsigned flags)
{
    uint32_t policy = current->mempolicy;
    if (mask && maxnode < 1)
        return -EINVAL;
    if (flags & ~(unsigned)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
        return -EINVAL;
    if (flags & MPOL_F_MEMS_ALLOWED) {
        if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
            return -EINVAL;
        policy = POLICY_NODE_0;
    } else if (flags & MPOL_F_ADDR) {
        int err = policy_at(addr, &policy);
        if (err < 0)
            return err;
    } else if (addr) {
        return -EINVAL;
    }
    int mode = (int)POLICY_MODE(policy);
    if (flags & MPOL_F_NODE) {
        mode = node_of(addr, flags);
        if (mode < 0)
            return mode;
    }
    if (ret_mode && put_user(&mode, ret_mode))
        return -EFAULT;
    return give_mask(mask, maxnode, policy & POLICY_NODE_0);
}

/* ---- moving: there is nowhere to move to ---- */

static int find_target(int32_t pid, struct task **ret)
{
    struct task *t = pid ? task_find(pid) : task_get(current);
    if (!t)
        return -ESRCH;
    int err = trace_access(t, TRACE_READ | TRACE_REALCREDS);
    if (err < 0)
        task_put(t);
    else
        *ret = t;
    return err;
}

int64_t do_migrate_pages(int32_t pid, uint64_t maxnode, uaddr_t old_mask, uaddr_t new_mask)
{
    bool old_0, old_any, new_0, new_any;
    struct task *t;
    int err = policy_read_nodes(old_mask, maxnode, &old_0, &old_any);
    if (err == 0)
        err = policy_read_nodes(new_mask, maxnode, &new_0, &new_any);
    if (err == 0)
        err = find_target(pid, &t);
    if (err < 0)
        return err;
    task_put(t);
    return new_0 ? 0 : new_any && !capable(CAP_SYS_NICE) ? -EPERM : -EINVAL;
}

/* The host says of the caller's own pages whether they are there; it writes its answer into the slot of the status that
 * is about to be written anyway. */
static bool is_resident(struct mm *mm, uaddr_t page, uaddr_t slot)
{
    unsigned char seen;
    if (mm != current->mm)
        return platform_peek(mm->as, &seen, page, 1) == 1;
    int64_t err = host_call(current->ctx, SYS_mincore, align_down(page, PAGE_SIZE), PAGE_SIZE, slot);
    return err == 0 && get_user(&seen, slot) == 0 && seen & 1;
}

/* The node of a page: 0, -ENOENT when it is not there yet, -EFAULT. */
static int page_status(struct mm *mm, uaddr_t page, uaddr_t slot)
{
    MUTEX_GUARD(&mm->lock);
    struct area *a = page < GUEST_END ? mm_find_area(mm, page) : NULL;
    if (!a || !mm->as)
        return -EFAULT;
    return is_resident(mm, page, slot) ? 0 : -ENOENT;
}

static int asked_node(uaddr_t nodes, uint64_t i)
{
    int32_t node;
    if (!nodes)
        return 0;
    if (get_user(&node, nodes + i * sizeof(node)))
        return -EFAULT;
    return node == 0 ? 0 : -ENODEV;
}

static int64_t move_each(struct mm *mm, uint64_t count, uaddr_t pages, uaddr_t nodes, uaddr_t status)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t page;
        if (get_user(&page, pages + i * sizeof(page)))
            return -EFAULT;
        int err = asked_node(nodes, i);
        if (err < 0)
            return err;
        uaddr_t slot = status + i * sizeof(int32_t);
        int32_t is = page_status(mm, page, slot);
        if (copy_to_user_partial(slot, &is, sizeof(is)) != sizeof(is))
            return -EFAULT;
        if (task_dying(current))
            return -EINTR;
    }
    return 0;
}

int64_t do_move_pages(int32_t pid, uint64_t count, uaddr_t pages, uaddr_t nodes, uaddr_t status, int flags)
{
    struct task *t;
    if (flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
        return -EINVAL;
    if (flags & MPOL_MF_MOVE_ALL && !capable(CAP_SYS_NICE))
        return -EPERM;
    int err = find_target(pid, &t);
    if (err < 0)
        return err;
    struct mm *mm = task_get_mm(t);
    task_put(t);
    if (!mm)
        return -EINVAL;
    int64_t ret = move_each(mm, count, pages, nodes, status);
    mm_put(mm);
    return ret;
}
