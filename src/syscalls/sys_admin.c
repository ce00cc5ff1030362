/*
 * Calls that administer a machine, as a container without the machine sees them: those that only ask are answered;
 * those that change what is the host's are refused, with the errors Linux looks for first.
 */
#include "base/cleanup.h"
#include "kernel/cred.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include <linux/capability.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/swap.h>
#include <sys/timex.h>

/* ---- the clock ---- */

#define ADJ_ADJTIME_BIT 0x8000
#define ADJ_READONLY_BIT 0x2000
#define ADJ_SINGLESHOT_BIT 1

/* What a clock that nobody steers looks like. */
static void describe_clock(struct timex *t)
{
    int64_t now = now_realtime();
    *t = (struct timex){.modes = t->modes,
                        .maxerror = 16000000,
                        .esterror = 16000000,
                        .status = STA_UNSYNC,
                        .constant = 2,
                        .precision = 1,
                        .tolerance = 32768000,
                        .tick = 10000};
    t->time.tv_sec = now / NSEC_PER_SEC;
    t->time.tv_usec = now % NSEC_PER_SEC / NSEC_PER_USEC;
}

static int64_t adjust_clock(uaddr_t buf)
{
    struct timex t;
    if (get_user(&t, buf))
        return -EFAULT;
    bool change = t.modes & ~(unsigned)(ADJ_ADJTIME_BIT | ADJ_READONLY_BIT | ADJ_SINGLESHOT_BIT);
    if (t.modes & ADJ_ADJTIME_BIT) {
        if (!(t.modes & ADJ_SINGLESHOT_BIT))
            return -EINVAL;
        change = !(t.modes & ADJ_READONLY_BIT);
    } else if (t.modes & ADJ_SINGLESHOT_BIT) {
        change = true;
    }
    if (change)
        return -EPERM; /* the clock is the host's */
    describe_clock(&t);
    return put_user(&t, buf) ? -EFAULT : TIME_ERROR;
}

int64_t sys_adjtimex(const uint64_t *a)
{
    return adjust_clock(a[0]);
}

int64_t sys_clock_adjtime(const uint64_t *a)
{
    struct timex t;
    if (get_user(&t, a[1]))
        return -EFAULT;
    clockid_t clock = (clockid_t)a[0];
    if (clock == CLOCK_REALTIME)
        return adjust_clock(a[1]);
    return clock > CLOCK_TAI || clock == 10 ? -EINVAL : -EOPNOTSUPP;
}

/* ---- file systems ---- */

static int64_t type_number(uaddr_t from)
{
    char name[64];
    int64_t number = 0;
    ssize_t len = copy_string_from_user(name, from, sizeof(name));
    if (len < 0)
        return len == -ENAMETOOLONG ? -EINVAL : len;
    for (const struct fs_type *t = fs_next(NULL); t; t = fs_next(t), number++)
        if (!strcmp(t->name, name))
            return number;
    return -EINVAL;
}

static int64_t type_name(unsigned number, uaddr_t to)
{
    const struct fs_type *t = fs_next(NULL);
    for (; t && number > 0; number--)
        t = fs_next(t);
    if (!t)
        return -EINVAL;
    return copy_to_user(to, t->name, strlen(t->name) + 1) ? -EFAULT : 0;
}

int64_t sys_sysfs(const uint64_t *a)
{
    int64_t count = 0;
    switch ((int)a[0]) {
    case 1:
        return type_number(a[1]);
    case 2:
        return type_name((unsigned)a[1], a[2]);
    case 3:
        for (const struct fs_type *t = fs_next(NULL); t; t = fs_next(t))
            count++;
        return count;
    default:
        return -EINVAL;
    }
}

struct guest_ustat {
    int32_t f_tfree;
    uint64_t f_tinode;
    char f_fname[6], f_fpack[6];
};

int64_t sys_ustat(const uint64_t *a)
{
    struct guest_ustat out = {0};
    struct statfs fs = {0};
    struct super_block *sb = mounts_find_dev(current->fs->ns, (uint32_t)a[0]);
    if (!sb)
        return -EINVAL;
    int err = sb->ops && sb->ops->statfs ? sb->ops->statfs(sb, &fs) : 0;
    sb_put(sb);
    if (err < 0)
        return err;
    out.f_tfree = (int32_t)fs.f_bfree;
    out.f_tinode = fs.f_ffree;
    return put_user(&out, a[1]) ? -EFAULT : 0;
}

/* ---- swap: whatever file is named, it holds none ---- */

#ifndef SWAP_FLAG_DISCARD_ONCE
#define SWAP_FLAG_DISCARD_ONCE 0x20000
#define SWAP_FLAG_DISCARD_PAGES 0x40000
#endif
#define SWAP_FLAGS                                                                                    \
    (SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK | SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_ONCE |            \
     SWAP_FLAG_DISCARD_PAGES)

static int64_t refuse_swap(uaddr_t from, unsigned open_flags)
{
    CLEANUP_PATH char *path = NULL;
    CLEANUP_FILE struct file *file = NULL;
    const struct open_how_kernel how = {.flags = open_flags | O_LARGEFILE};
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    int err = user_path(from, &path);
    if (err == 0)
        err = vfs_open_at(AT_FDCWD, path, &how, &file);
    return err < 0 ? err : -EINVAL;
}

int64_t sys_swapon(const uint64_t *a)
{
    return (unsigned)a[1] & ~(unsigned)SWAP_FLAGS ? -EINVAL : refuse_swap(a[0], O_RDWR);
}

int64_t sys_swapoff(const uint64_t *a)
{
    return refuse_swap(a[0], O_RDWR);
}

/* ---- I/O ports ---- */

int64_t sys_ioperm(const uint64_t *a)
{
    uint64_t from = a[0], num = a[1];
    if (from + num <= from || from + num > 65536)
        return -EINVAL;
    return (int)a[2] ? -EPERM : 0; /* none was ever given: there is nothing to take away */
}

int64_t sys_iopl(const uint64_t *a)
{
    unsigned level = (unsigned)a[0];
    if (level > 3)
        return -EINVAL;
    return level ? -EPERM : 0;
}

/* ---- what needs a capability first, and then a kernel that has it ---- */

static int64_t without(int capability)
{
    return capable(capability) ? -ENOSYS : -EPERM;
}

int64_t sys_acct(const uint64_t *a)
{
    return without(CAP_SYS_PACCT);
}

int64_t sys_kexec_load(const uint64_t *a)
{
    return without(CAP_SYS_BOOT);
}

int64_t sys_kexec_file_load(const uint64_t *a)
{
    return without(CAP_SYS_BOOT);
}

int64_t sys_vhangup(const uint64_t *a)
{
    return without(CAP_SYS_TTY_CONFIG);
}

/* As with the sysctl kernel.modules_disabled. */
int64_t sys_init_module(const uint64_t *a)
{
    return -EPERM;
}

int64_t sys_finit_module(const uint64_t *a)
{
    return -EPERM;
}

int64_t sys_delete_module(const uint64_t *a)
{
    return -EPERM;
}
