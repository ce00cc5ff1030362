/*
 * The content store of tmpfs files: a heap block, later a memfd. See struct tmpfs_data in
 * private.h.
 *
 * A memfd is mapped as far as MAP_MAX allows, so that reading and writing are a memcpy. Two cases
 * go to the host instead: reading where there may be holes (a read through a shared mapping would
 * fill them), and what lies beyond the mapping. Until a guest maps the file the memfd is longer
 * than the file and grows by doubling; from then on its length is exact, for the guest must get
 * SIGBUS where Linux gives it.
 *
 * Errors of the host here are ENOMEM and ENOSPC of its memory: they reach the guest as they are.
 */
#include "fs/tmpfs/private.h"
#include "platform/platform.h"
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEAP_MIN 256u
#define MAP_MAX (1ULL << 40)
#define BOUNCE (64u * 1024)
#define STRAIGHT_MAX (64u * 1024) /* more is copied faster from our mapping than the host reads small pages */
#define AHEAD_MIN (16 * PAGE_SIZE)
#define AHEAD_MAX (256 * PAGE_SIZE)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* /proc/self/fd, from before lock-down: reopens a memfd for reading only. A detached mount, whose
 * ".." leads nowhere: the directory itself would put the host's whole /proc into the reach of a
 * kernel process that was taken over. */
static int self_fds = -1;

int tmpfs_data_init(void)
{
    self_fds =
        (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/fd", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return 0;
}

/* -1 if it cannot be done: then mappings use the memfd itself. */
static int reopen_for_reading(int fd)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
    char name[16];
    snprintf(name, sizeof(name), "%d", fd);
    return self_fds < 0 ? -1 : (int)syscall(SYS_openat2, self_fds, name, &how, sizeof(how));
}

static void open_for_reading(struct tmpfs_data *d)
{
    if (d->read_fd >= 0)
        return;
    d->read_fd = reopen_for_reading(d->fd);
    d->read_id = platform_new_file_id();
}

static struct tmpfs *fs_of(const struct tmpfs_inode *ti)
{
    return tmpfs_of(&ti->inode);
}

static uint64_t size_of(const struct tmpfs_inode *ti)
{
    return ti->inode.attr.size;
}

static uint64_t pages_for(uint64_t bytes)
{
    return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static bool in_heap(const struct tmpfs_data *d)
{
    return d->fd < 0;
}

void data_init(struct tmpfs_data *d)
{
    memset(d, 0, sizeof(*d));
    d->fd = d->read_fd = -1;
}

static void set_pages(struct tmpfs_inode *ti, uint64_t pages)
{
    ti->data.pages = pages;
    ti->inode.attr.blocks = pages * (PAGE_SIZE / 512);
}

void data_free(struct tmpfs_inode *ti)
{
    struct tmpfs_data *d = &ti->data;
    tmpfs_uncharge(fs_of(ti), d->pages);
    if (in_heap(d)) {
        free(d->base);
        return;
    }
    if (d->base)
        munmap(d->base, d->mapped);
    close(d->fd);
    if (d->read_fd >= 0)
        close(d->read_fd);
}

/* ---- heap ---- */

static uint64_t page_bits(uint64_t start, uint64_t end)
{
    uint64_t first = start >> PAGE_SHIFT, n = pages_for(end) - first;
    return (n >= 64 ? UINT64_MAX : (1ULL << n) - 1) << first;
}

static int heap_reserve(struct tmpfs_data *d, uint64_t end)
{
    if (end <= d->mapped)
        return 0;
    uint64_t room = HEAP_MIN;
    while (room < end)
        room *= 2;
    unsigned char *base = realloc(d->base, room);
    if (!base)
        return -ENOMEM;
    d->base = base;
    d->mapped = room;
    return 0;
}

/* Charges the pages of [start, end) that are not there yet. */
static int heap_charge(struct tmpfs_inode *ti, uint64_t start, uint64_t end)
{
    struct tmpfs_data *d = &ti->data;
    uint64_t fresh = page_bits(start, end) & ~d->present;
    if (LIKELY(!fresh))
        return 0;
    uint64_t n = (uint64_t)__builtin_popcountll(fresh);
    int err = tmpfs_charge(fs_of(ti), n);
    if (err)
        return err;
    d->present |= fresh;
    set_pages(ti, d->pages + n);
    return 0;
}

/* The file is about to be `end` long: what was garbage behind its end becomes zeroes. */
static void heap_clear_gap(struct tmpfs_inode *ti, uint64_t end)
{
    if (end > size_of(ti))
        memset(ti->data.base + size_of(ti), 0, end - size_of(ti));
}

/* ---- memfd ---- */

static int memfd_set_size(struct tmpfs_data *d, uint64_t size)
{
    if (size == d->fd_size)
        return 0;
    if (ftruncate(d->fd, (off_t)size))
        return -errno;
    d->fd_size = size;
    return 0;
}

/* Maps at least [0, end), or as much as is sensible: less than asked is not an error. */
static void memfd_map(struct tmpfs_data *d, uint64_t end)
{
    if (end <= d->mapped || d->mapped >= MAP_MAX)
        return;
    uint64_t want = MAX(align_up(end, PAGE_SIZE), MIN(d->mapped * 2, MAP_MAX));
    if (want > MAP_MAX)
        want = MAP_MAX;
    void *base =
        d->base ? mremap(d->base, d->mapped, want, MREMAP_MAYMOVE)
                : mmap(NULL, want, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, d->fd, 0);
    if (base == MAP_FAILED)
        return;
    d->base = base;
    d->mapped = want;
}

/* Makes [0, end) part of the memfd and of the mapping. */
static int memfd_reserve(struct tmpfs_inode *ti, uint64_t end)
{
    struct tmpfs_data *d = &ti->data;
    if (end > d->fd_size) {
        uint64_t room =
            d->exact
                ? end
                : align_up(MAX(end, end < MAP_MAX ? MIN(d->fd_size * 2, MAP_MAX) : 0), PAGE_SIZE);
        int err = memfd_set_size(d, room);
        if (err)
            return err;
    }
    memfd_map(d, end);
    return 0;
}

static int write_all(int fd, const void *buf, size_t n, off_t pos)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = pwrite(fd, (const char *)buf + done, n - done, pos + (off_t)done);
        if (k < 0)
            return -errno;
        done += (size_t)k;
    }
    return 0;
}

/* The present pages, run by run, into the memfd; holes stay holes. */
static int copy_heap(const struct tmpfs_inode *ti, int fd)
{
    const struct tmpfs_data *d = &ti->data;
    for (uint64_t page = 0; page < pages_for(size_of(ti)); page++) {
        uint64_t pos = page << PAGE_SHIFT;
        int err = d->present >> page & 1
                      ? write_all(fd, d->base + pos, MIN(PAGE_SIZE, size_of(ti) - pos), (off_t)pos)
                      : 0;
        if (err)
            return err;
    }
    return 0;
}

static int leave_heap(struct tmpfs_inode *ti, uint64_t end)
{
    struct tmpfs_data *d = &ti->data,
                      fresh = {
                          .fd = -1, .read_fd = -1, .generation = d->generation, .pages = d->pages};
    fresh.fd = memfd_create("tmpfs", MFD_CLOEXEC);
    if (fresh.fd < 0)
        return -errno;
    fresh.fd_size = align_up(MAX(end, size_of(ti)), PAGE_SIZE);
    int err = ftruncate(fresh.fd, (off_t)fresh.fd_size) ? -errno : copy_heap(ti, fresh.fd);
    if (err) {
        close(fresh.fd);
        return err;
    }
    memfd_map(&fresh, fresh.fd_size);
    uint64_t all = size_of(ti) ? page_bits(0, size_of(ti)) : 0;
    fresh.dense = (d->present & all) == all ? align_up(size_of(ti), PAGE_SIZE) : 0;
    free(d->base);
    *d = fresh;
    return 0;
}

/* Asks the host what is really allocated. */
void data_refresh_blocks(struct tmpfs_inode *ti)
{
    struct tmpfs_data *d = &ti->data;
    struct stat st;
    if (in_heap(d) || fstat(d->fd, &st))
        return;
    uint64_t pages = (uint64_t)st.st_blocks / (PAGE_SIZE / 512), had = d->pages;
    if (pages > had)
        atomic_fetch_add_explicit(&fs_of(ti)->used_pages, pages - had, memory_order_relaxed);
    else
        tmpfs_uncharge(fs_of(ti), had - pages);
    set_pages(ti, pages);
}

/* Pages that may still be charged. */
static uint64_t free_pages(struct tmpfs *fs)
{
    uint64_t used = fs->used_pages;
    return used < fs->max_pages ? fs->max_pages - used : 0;
}

/* Charges what a write to [start, end) may allocate, and has the pages made in one go. */
static int memfd_charge(struct tmpfs_inode *ti, uint64_t start, uint64_t end)
{
    struct tmpfs_data *d = &ti->data;
    if (LIKELY(end <= d->dense || (end <= d->populated && start <= d->dense)))
        return 0;
    uint64_t first = MAX(align_down(start, PAGE_SIZE), d->dense), last = align_up(end, PAGE_SIZE);
    uint64_t room = free_pages(fs_of(ti));
    if ((last - first) >> PAGE_SHIFT > room)
        return -ENOSPC;
    uint64_t ahead = MIN(MAX(d->dense / 16, (uint64_t)AHEAD_MIN), (uint64_t)AHEAD_MAX);
    ahead = room < ahead >> PAGE_SHIFT ? room << PAGE_SHIFT : ahead;
    if (first == d->dense && !d->exact)
        last = MAX(last, MIN(first + ahead, d->fd_size));
    uint64_t reach = MIN(d->mapped, d->fd_size);
    last = MIN(last, align_up(reach, PAGE_SIZE));
    if (last > first && madvise(d->base + first, last - first, MADV_POPULATE_WRITE) &&
        errno == ENOMEM)
        return -ENOMEM;
    if (first == d->dense)
        d->populated = MAX(d->populated, last);
    data_refresh_blocks(ti);
    return 0;
}

/* After a write to [start, end). */
static void memfd_account(struct tmpfs_inode *ti, uint64_t start, uint64_t end)
{
    struct tmpfs_data *d = &ti->data;
    if (LIKELY(end <= d->dense))
        return;
    if (start <= d->dense)
        d->dense = align_up(end, PAGE_SIZE);
    if (end > d->populated)
        data_refresh_blocks(ti);
}

/* ---- both ---- */

/* Prepares [pos, pos + n) for writing; the size is still the old one. */
static int make_room(struct tmpfs_inode *ti, uint64_t pos, uint64_t n)
{
    struct tmpfs_data *d = &ti->data;
    uint64_t end = pos + n;
    if (in_heap(d) && end > HEAP_MAX) {
        int err = leave_heap(ti, end);
        if (err)
            return err;
    }
    int err = in_heap(d) ? heap_reserve(d, end) : memfd_reserve(ti, end);
    if (!err)
        err = in_heap(d) ? heap_charge(ti, pos, end) : memfd_charge(ti, pos, end);
    if (!err && in_heap(d))
        heap_clear_gap(ti, pos);
    return err;
}

/* Beyond the mapping, through a bounce buffer. */
static ssize_t write_unmapped(struct tmpfs_data *d, struct uio *from, uint64_t pos, size_t n)
{
    n = MIN(n, (size_t)BOUNCE);
    CLEANUP_FREE void *bounce = malloc(n);
    if (!bounce)
        return -ENOMEM;
    ssize_t got = uio_take(from, bounce, n);
    if (got <= 0)
        return got;
    int err = write_all(d->fd, bounce, (size_t)got, (off_t)pos);
    return err ? err : got;
}

ssize_t data_write(struct tmpfs_inode *ti, struct uio *from, uint64_t pos, size_t n)
{
    struct tmpfs_data *d = &ti->data;
    int err = make_room(ti, pos, n);
    size_t to_page_end = PAGE_SIZE - (pos & ~PAGE_MASK);
    if (UNLIKELY(err == -ENOSPC && n > to_page_end)) {
        n = to_page_end; /* page by page, as far as it goes */
        err = make_room(ti, pos, n);
    }
    if (err)
        return err;
    ssize_t got = pos < d->mapped ? uio_take(from, d->base + pos, MIN(n, d->mapped - pos))
                                  : write_unmapped(d, from, pos, n);
    if (got <= 0)
        return got;
    if (!in_heap(d))
        memfd_account(ti, pos, pos + (uint64_t)got);
    if (pos + (uint64_t)got > size_of(ti))
        ti->inode.attr.size = pos + (uint64_t)got;
    d->generation++;
    return got;
}

/* Where holes may be: the host reads them without filling them. */
static ssize_t read_host(struct tmpfs_data *d, struct uio *to, uint64_t pos, size_t n)
{
    size_t room;
    void *buf = uio_reserve(to, MIN(n, (size_t)BOUNCE), &room);
    if (!buf)
        return -EFAULT;
    ssize_t got = pread(d->fd, buf, room, (off_t)pos);
    if (got < 0)
        got = -errno;
    ssize_t put = uio_commit(to, got > 0 ? (size_t)got : 0);
    return got < 0 ? got : put;
}

/* By the guest itself, if that pays: -EAGAIN if not. The memfd must have been opened for reading only. */
static ssize_t read_straight(struct tmpfs_data *d, struct uio *to, uint64_t pos, size_t n)
{
    if (n < UIO_READ_FILE_MIN || n > STRAIGHT_MAX || !to->user)
        return -EAGAIN;
    open_for_reading(d);
    return d->read_fd < 0 ? -EAGAIN : uio_read_file(to, n, d->read_id, d->read_fd, (int64_t)pos, true);
}

/* The caller has clipped n to the size. Bytes moved, short on a fault. */
ssize_t data_read(struct tmpfs_inode *ti, struct uio *to, uint64_t pos, size_t n)
{
    struct tmpfs_data *d = &ti->data;
    size_t done = 0;
    if (in_heap(d))
        return uio_put(to, d->base + pos, n);
    ssize_t straight = read_straight(d, to, pos, n);
    if (straight != -EAGAIN)
        return straight;
    while (done < n) {
        uint64_t at = pos + done, solid = MIN(d->dense, d->mapped);
        size_t want = n - done;
        ssize_t k = at < solid ? uio_put(to, d->base + at, MIN(want, solid - at))
                               : read_host(d, to, at, want);
        if (k <= 0)
            return done ? (ssize_t)done : k;
        done += (size_t)k;
    }
    return (ssize_t)done;
}

/* ---- size ---- */

static int heap_shrink(struct tmpfs_inode *ti, uint64_t size)
{
    struct tmpfs_data *d = &ti->data;
    uint64_t keep = size ? page_bits(0, size) : 0,
             gone = (uint64_t)__builtin_popcountll(d->present & ~keep);
    tmpfs_uncharge(fs_of(ti), gone);
    d->present &= keep;
    set_pages(ti, d->pages - gone);
    if (!size) {
        free(TAKE_PTR(d->base));
        d->mapped = 0;
    }
    return 0;
}

static int memfd_shrink(struct tmpfs_inode *ti, uint64_t size)
{
    struct tmpfs_data *d = &ti->data;
    int err = memfd_set_size(d, size); /* what is cut off reads as zeroes when it comes back */
    if (err)
        return err;
    d->dense = MIN(d->dense, align_up(size, PAGE_SIZE));
    d->populated = MIN(d->populated, d->dense);
    data_refresh_blocks(ti);
    return 0;
}

static int data_grow(struct tmpfs_inode *ti, uint64_t size)
{
    struct tmpfs_data *d = &ti->data;
    int err = in_heap(d) && size > HEAP_MAX ? leave_heap(ti, size) : 0;
    if (!err)
        err = in_heap(d) ? heap_reserve(d, size) : size > d->fd_size ? memfd_set_size(d, size) : 0;
    if (!err && in_heap(d))
        heap_clear_gap(ti, size);
    if (!err && !in_heap(d))
        memfd_map(d, MIN(size, MAX(d->dense, PAGE_SIZE)));
    return err;
}

int data_resize(struct tmpfs_inode *ti, uint64_t size)
{
    struct tmpfs_data *d = &ti->data;
    int err = size > size_of(ti)    ? data_grow(ti, size)
              : size == size_of(ti) ? 0
              : in_heap(d)          ? heap_shrink(ti, size)
                                    : memfd_shrink(ti, size);
    if (err)
        return err;
    ti->inode.attr.size = size;
    d->generation++;
    return 0;
}

/* ---- fallocate ---- */

int data_allocate(struct tmpfs_inode *ti, uint64_t start, uint64_t end, bool grow)
{
    struct tmpfs_data *d = &ti->data;
    int err = in_heap(d) && end > HEAP_MAX ? leave_heap(ti, grow ? end : size_of(ti)) : 0;
    if (err)
        return err;
    if (in_heap(d)) {
        err = heap_reserve(d, end);
        if (!err)
            err = heap_charge(ti, start, end);
        if (!err && grow)
            heap_clear_gap(ti, end);
    } else {
        if ((align_up(end, PAGE_SIZE) - align_down(start, PAGE_SIZE)) >> PAGE_SHIFT > free_pages(fs_of(ti))) {
            data_refresh_blocks(ti);
            return -ENOSPC;
        }
        if (fallocate(d->fd, grow ? 0 : FALLOC_FL_KEEP_SIZE, (off_t)start, (off_t)(end - start)))
            return -errno;
        if (grow)
            d->fd_size = MAX(d->fd_size, end);
        if (start <= d->dense)
            d->dense = MAX(d->dense, align_down(end, PAGE_SIZE));
        data_refresh_blocks(ti);
    }
    if (!err && grow && end > size_of(ti))
        ti->inode.attr.size = end;
    return err;
}

static void heap_punch(struct tmpfs_inode *ti, uint64_t start, uint64_t end)
{
    struct tmpfs_data *d = &ti->data;
    memset(d->base + start, 0, end - start);
    uint64_t first = align_up(start, PAGE_SIZE);
    uint64_t last = end == size_of(ti) ? align_up(end, PAGE_SIZE) : align_down(end, PAGE_SIZE);
    if (first >= last)
        return;
    uint64_t gone = page_bits(first, last) & d->present, n = (uint64_t)__builtin_popcountll(gone);
    d->present &= ~gone;
    tmpfs_uncharge(fs_of(ti), n);
    set_pages(ti, d->pages - n);
}

int data_punch(struct tmpfs_inode *ti, uint64_t start, uint64_t end)
{
    struct tmpfs_data *d = &ti->data;
    d->generation++;
    if (in_heap(d)) {
        heap_punch(ti, start, end);
        return 0;
    }
    if (fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)start,
                  (off_t)(end - start)))
        return -errno;
    d->dense = MIN(d->dense, align_down(start, PAGE_SIZE));
    d->populated = MIN(d->populated, d->dense);
    data_refresh_blocks(ti);
    return 0;
}

int64_t data_seek(struct tmpfs_inode *ti, uint64_t pos, bool want_data)
{
    struct tmpfs_data *d = &ti->data;
    uint64_t size = size_of(ti);
    if (!in_heap(d)) {
        off_t at = lseek(d->fd, (off_t)pos, want_data ? SEEK_DATA : SEEK_HOLE);
        if (at < 0 || (uint64_t)at >= size)
            return want_data ? -ENXIO : (int64_t)size;
        return at;
    }
    for (uint64_t page = pos >> PAGE_SHIFT; page < pages_for(size); page++)
        if ((d->present >> page & 1) == want_data)
            return (int64_t)MAX(pos, page << PAGE_SHIFT);
    return want_data ? -ENXIO : (int64_t)size;
}

/* ---- mmap ---- */

int data_make_mappable(struct tmpfs_inode *ti)
{
    struct tmpfs_data *d = &ti->data;
    int err = in_heap(d) ? leave_heap(ti, size_of(ti)) : 0;
    if (!err && !d->exact)
        err = memfd_set_size(d, size_of(ti));
    if (err)
        return err;
    d->exact = true;
    d->dense = MIN(d->dense, align_up(size_of(ti), PAGE_SIZE));
    d->populated = MIN(d->populated, d->dense);
    open_for_reading(d);
    return 0;
}
