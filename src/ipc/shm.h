/* A System V segment, shared by shm.c (attaching) and shm_control.c (shmctl, /proc/sysvipc/shm). */
#pragma once
#include "ipc/namespace.h"
#include "ipc/sysv.h"
#include "vfs/file.h"

/*
 * Lives while its inode does: every attached area and the table's entry (through o) hold that. Attaches also hold o.
 * A segment marked for destruction stays in the table until its last detach.
 */
struct shm {
    struct ipc_object o;
    struct inode inode; /* reference: o's */
    int fd;             /* [I] the host memfd with the bytes; owned */
    uint64_t size;      /* [I] as asked for */
    uint64_t attaches;  /* [o.lock] areas, and shmat calls under way */
    int64_t atime, dtime, ctime; /* [o.lock] seconds */
    struct pid *creator, *last;  /* [o.lock] references */
};

static inline struct shm *shm_of(struct ipc_object *o)
{
    return container_of(o, struct shm, o);
}

static inline uint64_t shm_pages(const struct shm *s)
{
    return align_up(s->size, PAGE_SIZE) / PAGE_SIZE;
}

uint64_t shm_resident(const struct shm *s); /* pages */
