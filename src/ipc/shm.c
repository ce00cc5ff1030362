/*
 * System V shared memory: making, attaching and detaching segments (shmget(2), shmop(2)).
 *
 * A segment is a host memfd behind an inode. Each shmat() maps a file of its own on that inode, so that a read-only
 * attach cannot be made writable, and shmdt() can tell one attach from another. The areas themselves are counted
 * (file_ops.count_area): fork, exec, exit, munmap and splits need no care here. DEVIATION: SHM_LOCK is remembered and
 * shown but locks nothing: the host's pages are the host's.
 */
#include "ipc/shm.h"
#include "base/cleanup.h"
#include "kernel/limits.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define HUGE_SIZES_SHIFT 26
#define SHM_MAX_BYTES (1UL << 46) /* what fits a guest, and more than any machine has */

static const struct inode_ops shm_inode_ops;
static const struct file_ops shm_file_ops;

static struct shm *shm_of_inode(struct inode *inode)
{
    return container_of(inode, struct shm, inode);
}

uint64_t shm_resident(const struct shm *s)
{
    struct stat st;
    return fstat(s->fd, &st) < 0 ? 0 : (uint64_t)st.st_blocks / 8;
}

/* ---- life ---- */

static void shm_free(struct ipc_object *o)
{
    inode_put(&shm_of(o)->inode);
}

static void shm_evict(struct inode *inode)
{
    struct shm *s = shm_of_inode(inode);
    if (s->creator)
        pid_put(s->creator);
    if (s->last)
        pid_put(s->last);
    close(s->fd);
    free(s);
}

void shm_destroy_locked(struct ipc_object *o)
{
    struct shm *s = shm_of(o);
    struct ipc_namespace *ns = o->ns;
    if (ipc_remove_locked(o))
        atomic_fetch_sub(&ns->shm_pages, shm_pages(s));
}

static void forget_attach_locked(struct shm *s)
{
    s->attaches--;
    if (s->attaches == 0 && s->o.mode & SHM_DEST)
        shm_destroy_locked(&s->o);
}

/* ---- the file ---- */

static void shm_count_area(struct file *file, int change)
{
    struct shm *s = shm_of_inode(file->inode);
    int64_t now = now_realtime() / NSEC_PER_SEC;
    if (change > 0)
        ipc_get(&s->o);
    mutex_lock(&s->o.lock);
    ipc_set_pid(&s->last);
    if (change > 0) {
        s->attaches++;
        s->atime = now;
    } else {
        s->dtime = now;
        forget_attach_locked(s);
    }
    mutex_unlock(&s->o.lock);
    if (change < 0)
        ipc_put(&s->o);
}

static int shm_mmap(struct file *file, struct mmap_request *req)
{
    req->fd = shm_of_inode(file->inode)->fd;
    return 0;
}

static int super(struct super_block **ret)
{
    static struct super_block *sb;
    static struct mutex lock = MUTEX_INIT(lock);
    static const struct super_ops ops = {0};
    MUTEX_GUARD(&lock);
    int err = sb ? 0 : sb_new("tmpfs", "none", TMPFS_MAGIC, &ops, &sb);
    if (err == 0)
        *ret = sb;
    return err;
}

/* ---- shmget ---- */

static int shm_fits(struct ipc_object *o, uint64_t size)
{
    return shm_of(o)->size < size ? -EINVAL : 0;
}

static int check_size(struct ipc_namespace *ns, uint64_t size, int flags)
{
    struct sysinfo info;
    if (size == 0 || size > ns->shmmax)
        return -EINVAL;
    uint64_t pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
    if (pages << PAGE_SHIFT < size || ns->shm_pages + pages < pages || ns->shm_pages + pages > ns->shmall)
        return -ENOSPC;
    if (size > SHM_MAX_BYTES)
        return -ENOMEM;
    /* What could never be filled is refused at once, as Linux's overcommit heuristics do. */
    if (!(flags & SHM_NORESERVE) && sysinfo(&info) == 0 &&
        pages > ((uint64_t)info.totalram + info.totalswap) * info.mem_unit / PAGE_SIZE)
        return -ENOMEM;
    return 0;
}

/* There are no huge pages to be had: the answers of a Linux with none reserved. */
static int check_huge(int flags)
{
    unsigned shift = (unsigned)flags >> HUGE_SIZES_SHIFT & 0x3f;
    if (!(flags & SHM_HUGETLB))
        return 0;
    if (shift != 0 && shift != 21 && shift != 30)
        return -EINVAL;
    return capable(CAP_IPC_LOCK) ? -ENOMEM : -EPERM;
}

static int new_segment(int fd, uint64_t size, const struct ipc_get_args *args, struct shm **ret)
{
    struct super_block *sb = NULL;
    int err = super(&sb);
    if (err < 0)
        return err;
    struct shm *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    ipc_object_init(&s->o, IPC_SHM, args->key, (unsigned)args->flags, shm_free);
    inode_init(&s->inode, sb, &shm_inode_ops, &shm_file_ops, S_IFREG | s->o.mode, s->o.uid, s->o.gid);
    s->inode.attr.nlink = 0;
    s->inode.attr.size = size;
    s->fd = fd;
    s->size = size;
    s->ctime = now_realtime() / NSEC_PER_SEC;
    ipc_set_pid(&s->creator);
    *ret = s;
    return 0;
}

static int shm_make(struct ipc_namespace *ns, const struct ipc_get_args *args, struct ipc_object **ret)
{
    struct shm *s;
    int err = check_size(ns, args->size, args->flags);
    if (err == 0)
        err = check_huge(args->flags);
    if (err == 0 && ns->ids[IPC_SHM].in_use >= ns->shmmni)
        err = -ENOSPC;
    if (err < 0)
        return err;
    CLEANUP_FD int fd = memfd_create("SYSV", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)args->size) < 0)
        return -ENOMEM;
    err = new_segment(fd, args->size, args, &s);
    if (err < 0)
        return err;
    (void)TAKE_FD(fd);
    atomic_fetch_add(&ns->shm_pages, shm_pages(s));
    *ret = &s->o;
    return 0;
}

int64_t do_shmget(int32_t key, uint64_t size, int flags)
{
    const struct ipc_get_args args = {
        .kind = IPC_SHM, .key = key, .flags = flags, .size = size, .fits = shm_fits, .make = shm_make};
    return ipc_get_id(current_ipc_ns(), &args);
}

/* ---- shmat ---- */

struct attach {
    uaddr_t addr;
    int prot, map_flags, access;
};

static int decode_attach(uaddr_t addr, int flags, struct attach *ret)
{
    *ret = (struct attach){.addr = addr, .prot = PROT_READ | PROT_WRITE, .map_flags = MAP_SHARED, .access = 0666};
    if (addr & (SHMLBA - 1)) {
        if (!(flags & SHM_RND))
            return -EINVAL;
        ret->addr = align_down(addr, SHMLBA);
        if (!ret->addr && flags & SHM_REMAP)
            return -EINVAL;
    } else if (!addr && flags & SHM_REMAP) {
        return -EINVAL;
    }
    if (ret->addr)
        ret->map_flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    if (flags & SHM_RDONLY) {
        ret->prot = PROT_READ;
        ret->access = 0444;
    }
    if (flags & SHM_EXEC) {
        ret->prot |= PROT_EXEC;
        ret->access |= 0111;
    }
    return 0;
}

static int64_t map_segment(struct shm *s, const struct attach *at)
{
    char name[32];
    CLEANUP_FILE struct file *file = NULL;
    snprintf(name, sizeof(name), "/SYSV%08x (deleted)", (unsigned)s->o.key);
    s->inode.attr.ino = (uint64_t)s->o.id;
    uint32_t mode = at->prot & PROT_WRITE ? O_RDWR : O_RDONLY;
    int err = file_new_on_inode(name, &s->inode, &shm_file_ops, NULL, mode, &file);
    if (err < 0)
        return err;
    int64_t ret = do_mmap(at->addr, s->size, at->prot, at->map_flags, file, 0);
    return ret == -EEXIST ? -EINVAL : ret;
}

int64_t do_shmat(int id, uaddr_t addr, int flags)
{
    struct attach at;
    struct ipc_object *o;
    int err = id < 0 ? -EINVAL : decode_attach(addr, flags, &at);
    if (err == 0)
        err = ipc_find(current_ipc_ns(), IPC_SHM, id, &o);
    if (err < 0)
        return err;
    struct shm *s = shm_of(o);
    err = ipc_permission(o, at.access);
    if (err < 0) {
        ipc_unlock(o);
        return err;
    }
    s->attaches++; /* not to be destroyed meanwhile */
    mutex_unlock(&o->lock);
    int64_t ret = map_segment(s, &at);
    mutex_lock(&o->lock);
    forget_attach_locked(s);
    ipc_unlock(o);
    return ret;
}

/* ---- shmdt ---- */

static uint64_t attached_size(struct file *file)
{
    return file->ops == &shm_file_ops ? align_up(shm_of_inode(file->inode)->size, PAGE_SIZE) : 0;
}

int64_t do_shmdt(uaddr_t addr)
{
    return addr & ~PAGE_MASK ? -EINVAL : mm_unmap_file(addr, attached_size);
}

static const struct inode_ops shm_inode_ops = {.evict = shm_evict};
static const struct file_ops shm_file_ops = {.mmap = shm_mmap, .count_area = shm_count_area};
