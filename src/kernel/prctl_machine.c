/*
 * prctl(2): the options about the address space and the machine. DEVIATION: PR_SET_THP_DISABLE, PR_MCE_KILL and
 * PR_SET_IO_FLUSHER are remembered and given back; pages, machine checks and writeback are the host's.
 */
#include "kernel/prctl.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include <linux/capability.h>
#include <linux/prctl.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif
#define MDWE_GAIN 1u
#define MDWE_NO_INHERIT 2u
#define MCE_DEFAULT 2

/* ---- PR_SET_MM ---- */

static uaddr_t *mm_field(struct mm *mm, uint64_t which)
{
    switch (which) {
    case PR_SET_MM_START_CODE:
        return &mm->start_code;
    case PR_SET_MM_END_CODE:
        return &mm->end_code;
    case PR_SET_MM_START_DATA:
        return &mm->start_data;
    case PR_SET_MM_END_DATA:
        return &mm->end_data;
    case PR_SET_MM_START_STACK:
        return &mm->start_stack;
    case PR_SET_MM_START_BRK:
        return &mm->brk_start;
    case PR_SET_MM_ARG_START:
        return &mm->arg_start;
    case PR_SET_MM_ARG_END:
        return &mm->arg_end;
    case PR_SET_MM_ENV_START:
        return &mm->env_start;
    case PR_SET_MM_ENV_END:
        return &mm->env_end;
    default:
        return NULL;
    }
}

static int64_t set_mm(uint64_t which, uaddr_t addr, uint64_t size, uint64_t unused)
{
    struct mm *mm = current->mm;
    if (unused || (size && which != PR_SET_MM_AUXV && which != PR_SET_MM_MAP && which != PR_SET_MM_MAP_SIZE))
        return -EINVAL;
    if (!capable(CAP_SYS_RESOURCE))
        return -EPERM;
    uaddr_t *field = mm_field(mm, which);
    if (!field || addr < 0x10000 || addr >= GUEST_END)
        return -EINVAL;
    MUTEX_GUARD(&mm->lock);
    bool must_be_mapped = which != PR_SET_MM_START_BRK;
    if (must_be_mapped && !mm_find_area(mm, addr))
        return -EINVAL;
    *field = addr;
    return 0;
}

static int64_t get_auxv(uaddr_t to, uint64_t size, uint64_t c, uint64_t d)
{
    struct mm *mm = current->mm;
    uint64_t len = sizeof(mm->auxv);
    if (c || d)
        return -EINVAL;
    return copy_to_user(to, mm->auxv, MIN(size, len)) ? -EFAULT : (int64_t)len;
}

/* ---- what a process is remembered for ---- */

static int64_t set_mdwe(struct process *p, uint64_t bits)
{
    if (bits & ~(uint64_t)(MDWE_GAIN | MDWE_NO_INHERIT) || bits == MDWE_NO_INHERIT)
        return -EINVAL;
    if (p->mdwe && p->mdwe != bits)
        return -EPERM;
    p->mdwe = (unsigned char)bits;
    return 0;
}

static int64_t set_mce(struct process *p, uint64_t what, uint64_t policy, uint64_t c, uint64_t d)
{
    if (c || d || what > PR_MCE_KILL_SET)
        return -EINVAL;
    if (what == PR_MCE_KILL_CLEAR) {
        p->mce_policy = MCE_DEFAULT;
        return policy ? -EINVAL : 0;
    }
    if (policy > PR_MCE_KILL_DEFAULT)
        return -EINVAL;
    p->mce_policy = (unsigned char)policy;
    return 0;
}

static int64_t io_flusher(struct process *p, bool set, uint64_t on, uint64_t rest)
{
    if (!capable(CAP_SYS_RESOURCE))
        return -EPERM;
    if (rest || on > (set ? 1 : 0))
        return -EINVAL;
    if (!set)
        return p->io_flusher;
    p->io_flusher = on;
    return 0;
}

/* ---- the CPU ---- */

/* Nothing is mitigated per task: every misfeature reads as not affecting this CPU. */
static int64_t speculation(bool set, uint64_t which, uint64_t a, uint64_t rest)
{
    if (rest || (!set && a))
        return -EINVAL;
    if (which > PR_SPEC_INDIRECT_BRANCH)
        return -ENODEV;
    return set ? -ENXIO : PR_SPEC_NOT_AFFECTED;
}

static int64_t put_int(int value, uaddr_t to)
{
    return put_user(&value, to);
}

int64_t prctl_machine(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    struct process *p = current->process;
    switch (option) {
    case PR_GET_TIMING:
        return PR_TIMING_STATISTICAL;
    case PR_SET_TIMING:
        return a == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case PR_GET_TSC:
        return put_int(PR_TSC_ENABLE, a);
    case PR_SET_TSC:
        return a == PR_TSC_ENABLE ? 0 : -EINVAL;
    case PR_MCE_KILL:
        return set_mce(p, a, b, c, d);
    case PR_MCE_KILL_GET:
        return a || b || c || d ? -EINVAL : p->mce_policy;
    case PR_SET_MM:
        return set_mm(a, b, c, d);
    case PR_GET_TID_ADDRESS:
        return put_user(&current->clear_child_tid, a);
    case PR_SET_THP_DISABLE:
        p->thp_disabled = a != 0;
        return b || c || d ? -EINVAL : 0;
    case PR_GET_THP_DISABLE:
        return a || b || c || d ? -EINVAL : p->thp_disabled;
    case PR_GET_SPECULATION_CTRL:
        return speculation(false, a, b, c | d);
    case PR_SET_SPECULATION_CTRL:
        return speculation(true, a, b, c | d);
    case PR_SET_IO_FLUSHER:
        return io_flusher(p, true, a, b | c | d);
    case PR_GET_IO_FLUSHER:
        return io_flusher(p, false, a, b | c | d);
    case PR_SET_MDWE:
        return b || c || d ? -EINVAL : set_mdwe(p, a);
    case PR_GET_MDWE:
        return a || b || c || d ? -EINVAL : p->mdwe;
    case PR_GET_AUXV:
        return get_auxv(a, b, c, d);
    default:
        return -EINVAL;
    }
}
