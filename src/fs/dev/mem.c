/*
 * The memory devices, character devices of major 1: sources and sinks without state. null(4),
 * zero(4), full(4), random(4).
 */
#include "base/cleanup.h"
#include "fs/dev/dev.h"
#include "mm/uaccess.h"
#include "vfs/special.h"
#include <linux/random.h>
#include <sys/random.h>

#define RANDOM_PIECE 4096 /* between two looks at signals and the caller's memory */
#define ENTROPY_BITS 256  /* what Linux says once its generator is ready */

static ssize_t null_read(struct file *file, struct uio *to, int64_t *pos)
{
    return 0;
}

static ssize_t null_write(struct file *file, struct uio *from, int64_t *pos)
{
    size_t n = from->remaining;
    uio_skip(from, n);
    return (ssize_t)n;
}

/* Seeking anywhere succeeds and leads nowhere. */
static int64_t null_lseek(struct file *file, int64_t offset, int whence)
{
    file->pos = 0;
    return 0;
}

static ssize_t zero_read(struct file *file, struct uio *to, int64_t *pos)
{
    return uio_zero(to, to->remaining);
}

static int zero_mmap(struct file *file, struct mmap_request *req)
{
    req->fd = -1;
    req->key_ino = 0;
    return 0;
}

static ssize_t full_write(struct file *file, struct uio *from, int64_t *pos)
{
    return -ENOSPC;
}

static ssize_t random_read(struct file *file, struct uio *to, int64_t *pos)
{
    ssize_t total = 0;
    while (to->remaining) {
        size_t room;
        void *buf = uio_reserve(to, MIN(to->remaining, (size_t)RANDOM_PIECE), &room);
        ssize_t got = getrandom(buf, room, 0);
        ssize_t moved = uio_commit(to, got < 0 ? 0 : (size_t)got);
        if (got < 0 || moved <= 0)
            return total ? total : got < 0 ? -EIO : moved;
        total += moved;
        if (moved < got || (to->remaining && fiber_interrupted(fiber_self())))
            break;
    }
    return total;
}

/* DEVIATION: the bytes are taken and not mixed in; the host's generator needs no help from a guest.
 */
static ssize_t random_write(struct file *file, struct uio *from, int64_t *pos)
{
    char sink[512];
    ssize_t total = 0;
    while (from->remaining) {
        ssize_t n = uio_take(from, sink, MIN(from->remaining, sizeof(sink)));
        if (n <= 0)
            return total ? total : n;
        total += n;
    }
    return total;
}

static int64_t random_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    int bits = ENTROPY_BITS;
    switch (cmd) {
    case RNDGETENTCNT:
        return put_user(&bits, arg);
    case RNDADDTOENTCNT:
    case RNDADDENTROPY:
    case RNDZAPENTCNT:
    case RNDCLEARPOOL:
    case RNDRESEEDCRNG:
        return -EPERM; /* the generator is the host's */
    default:
        return -EINVAL;
    }
}

static const struct file_ops null_ops = {
    .read = null_read,
    .write = null_write,
    .lseek = null_lseek,
};

static const struct file_ops zero_ops = {
    .read = zero_read,
    .write = null_write,
    .lseek = null_lseek,
    .mmap = zero_mmap,
};

static const struct file_ops full_ops = {
    .read = zero_read,
    .write = full_write,
    .lseek = null_lseek,
};

static const struct file_ops random_ops = {
    .read = random_read,
    .write = random_write,
    .lseek = null_lseek,
    .ioctl = random_ioctl,
};

void dev_init(void)
{
    special_register(S_IFCHR, 1, 3, 1, &null_ops);
    special_register(S_IFCHR, 1, 5, 1, &zero_ops);
    special_register(S_IFCHR, 1, 7, 1, &full_ops);
    special_register(S_IFCHR, 1, 8, 2, &random_ops); /* random and urandom */
}
