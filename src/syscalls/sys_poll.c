/*
 * poll(2), ppoll(2), select(2), pselect6(2): descriptors in, readiness out; the waiting is
 * vfs/poll_many.c's.
 *
 * poll restarts by itself after a signal without a handler, with the same deadline
 * (restart_syscall). ppoll, select and pselect6 write the time that is left back to the guest and
 * are then simply called again.
 */
#include "kernel/fdtable.h"
#include "kernel/limits.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/poll_many.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>

/* ---- time ---- */

static int64_t deadline_after(int64_t seconds, int64_t ns)
{
    int64_t total, deadline;
    if (seconds == 0 && ns == 0)
        return 0; /* look once */
    if (__builtin_mul_overflow(seconds, NSEC_PER_SEC, &total) || __builtin_add_overflow(total, ns, &total) ||
        __builtin_add_overflow(now_monotonic(), total, &deadline))
        return NO_DEADLINE;
    return deadline;
}

/* A guest's timeout: NULL is for ever. */
static int deadline_from_timespec(uaddr_t addr, int64_t *ret)
{
    struct timespec ts;
    *ret = NO_DEADLINE;
    if (!addr)
        return 0;
    int err = get_user(&ts, addr);
    if (err < 0)
        return err;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    *ret = deadline_after(ts.tv_sec, ts.tv_nsec);
    return 0;
}

static int deadline_from_timeval(uaddr_t addr, int64_t *ret)
{
    struct timeval tv;
    *ret = NO_DEADLINE;
    if (!addr)
        return 0;
    int err = get_user(&tv, addr);
    if (err < 0)
        return err;
    if (tv.tv_sec < 0 || tv.tv_usec < 0)
        return -EINVAL;
    int64_t seconds;
    if (__builtin_add_overflow(tv.tv_sec, tv.tv_usec / 1000000, &seconds))
        return 0;
    *ret = deadline_after(seconds, tv.tv_usec % 1000000 * NSEC_PER_USEC);
    return 0;
}

static int64_t time_left(int64_t deadline)
{
    return deadline == 0 ? 0 : MAX(deadline - now_monotonic(), (int64_t)0);
}

/* Writes what is left of the timeout. If it cannot be written, the call cannot be restarted: the
 * wait would start anew. */
static int64_t finish_timespec(int64_t result, uaddr_t addr, int64_t deadline)
{
    if (!addr || deadline == NO_DEADLINE)
        return result;
    int64_t left = time_left(deadline);
    struct timespec ts = {left / NSEC_PER_SEC, left % NSEC_PER_SEC};
    if (put_user(&ts, addr) < 0 && result == -ERESTARTNOHAND)
        return -EINTR;
    return result;
}

static int64_t finish_timeval(int64_t result, uaddr_t addr, int64_t deadline)
{
    if (!addr || deadline == NO_DEADLINE)
        return result;
    int64_t left = time_left(deadline);
    struct timeval tv = {left / NSEC_PER_SEC, left % NSEC_PER_SEC / NSEC_PER_USEC};
    if (put_user(&tv, addr) < 0 && result == -ERESTARTNOHAND)
        return -EINTR;
    return result;
}

/* ---- the mask of ppoll and pselect ---- */

static int set_mask(uaddr_t mask_addr, uint64_t size)
{
    sigmask_t mask;
    if (!mask_addr)
        return 0;
    if (size != sizeof(mask))
        return -EINVAL;
    int err = get_user(&mask, mask_addr);
    if (err == 0)
        task_set_temporary_sigmask(current, mask);
    return err;
}

static int64_t finish_mask(int64_t result, uaddr_t mask_addr)
{
    if (result == -ERESTARTSYS)
        return -ERESTARTNOHAND;
    if (mask_addr)
        task_restore_sigmask(current);
    return result;
}

/* ---- poll ---- */

struct poll_set {
    unsigned count;
    struct pollfd *fds;
    struct poll_item *items;
};

static void poll_set_free(struct poll_set *s)
{
    for (unsigned i = 0; s->items && i < s->count; i++)
        if (s->items[i].file)
            file_put(s->items[i].file);
    free(s->items);
    free(s->fds);
}

static int poll_set_load(struct poll_set *s, uaddr_t addr, uint64_t count)
{
    if (count > current_limit(RLIMIT_NOFILE) || count > FD_MAX)
        return -EINVAL;
    s->count = (unsigned)count;
    s->fds = malloc(count * sizeof(*s->fds) + 1);
    s->items = calloc(count + 1, sizeof(*s->items));
    if (!s->fds || !s->items)
        return -ENOMEM;
    int err = copy_from_user(s->fds, addr, count * sizeof(*s->fds));
    if (err < 0)
        return err;
    for (unsigned i = 0; i < s->count; i++) {
        if (s->fds[i].fd < 0)
            continue;
        s->items[i].wanted = (unsigned short)s->fds[i].events | EPOLLERR | EPOLLHUP;
        if (fd_file(s->fds[i].fd, &s->items[i].file) < 0) {
            s->items[i].file = NULL;
            s->items[i].got = POLLNVAL;
        }
    }
    return 0;
}

/* Writes only revents, and only those that differ from what is there: `events` may be changing
 * under our hands. */
static int poll_set_store(struct poll_set *s, uaddr_t addr)
{
    for (unsigned i = 0; i < s->count; i++) {
        short revents = (short)s->items[i].got;
        if (revents == s->fds[i].revents)
            continue;
        int err = put_user(&revents, addr + i * sizeof(struct pollfd) + offsetof(struct pollfd, revents));
        if (err < 0)
            return err;
    }
    return 0;
}

static int64_t do_poll(uaddr_t addr, uint64_t count, int64_t deadline)
{
    struct poll_set s = {0};
    int64_t result = poll_set_load(&s, addr, count);
    if (result == 0)
        result = poll_many(s.items, s.count, deadline);
    if (result >= 0) {
        int err = poll_set_store(&s, addr);
        if (err < 0)
            result = err;
    }
    poll_set_free(&s);
    return result;
}

static int64_t poll_restart(struct restart_block *r)
{
    int64_t result = do_poll(r->args[0], r->args[1], r->deadline);
    return result == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : result;
}

int64_t sys_poll(const uint64_t *a)
{
    int timeout = (int)a[2];
    int64_t deadline = timeout < 0 ? NO_DEADLINE : deadline_after(timeout / 1000, timeout % 1000 * NSEC_PER_MSEC);
    int64_t result = do_poll(a[0], (unsigned)a[1], deadline);
    if (result != -ERESTARTSYS)
        return result;
    current->restart = (struct restart_block){.func = poll_restart, .deadline = deadline,
                                              .args = {a[0], (unsigned)a[1]}};
    return -ERESTART_RESTARTBLOCK;
}

int64_t sys_ppoll(const uint64_t *a)
{
    int64_t deadline;
    int err = deadline_from_timespec(a[2], &deadline);
    if (err == 0)
        err = set_mask(a[3], a[4]);
    if (err < 0)
        return err;
    int64_t result = finish_mask(do_poll(a[0], (unsigned)a[1], deadline), a[3]);
    return finish_timespec(result, a[2], deadline);
}

/* ---- select ---- */

#define SELECT_SETS 3
#define POLLIN_SET (EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR)
#define POLLOUT_SET (EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR)
#define POLLEX_SET EPOLLPRI

/* The events that make a descriptor count in each of the three sets. */
static const uint32_t select_events[SELECT_SETS] = {POLLIN_SET, POLLOUT_SET, POLLEX_SET};

struct select_state {
    unsigned bits, words;
    uint64_t *sets[SELECT_SETS]; /* words each, in one allocation at sets[0] */
    struct poll_item *items;     /* one for each descriptor in any set */
    int *fds;
    unsigned count;
};

static void select_free(struct select_state *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->items[i].file)
            file_put(s->items[i].file);
    free(s->items);
    free(s->fds);
    free(s->sets[0]);
}

static bool in_set(const struct select_state *s, unsigned set, unsigned fd)
{
    return s->sets[set][fd / 64] >> (fd % 64) & 1;
}

static int select_load_sets(struct select_state *s, const uaddr_t addrs[SELECT_SETS])
{
    s->words = (s->bits + 63) / 64;
    uint64_t *all = calloc((size_t)s->words * SELECT_SETS + 1, sizeof(*all));
    if (!all)
        return -ENOMEM;
    for (unsigned i = 0; i < SELECT_SETS; i++) {
        s->sets[i] = all + (size_t)i * s->words;
        int err = addrs[i] && s->words ? copy_from_user(s->sets[i], addrs[i], s->words * sizeof(uint64_t)) : 0;
        if (err < 0)
            return err;
    }
    return 0;
}

static uint32_t wanted_of(const struct select_state *s, unsigned fd)
{
    uint32_t wanted = 0;
    for (unsigned set = 0; set < SELECT_SETS; set++)
        if (in_set(s, set, fd))
            wanted |= select_events[set];
    return wanted;
}

/* An O_PATH descriptor is open, and ready for everything as it can do nothing. */
static int select_file(int fd, struct poll_item *item)
{
    struct file *path_only;
    int err = fd_file(fd, &item->file);
    if (err == 0)
        return 0;
    item->file = NULL;
    item->got = UINT32_MAX;
    if (fd_file_any(fd, &path_only) < 0)
        return err;
    file_put(path_only);
    return 0;
}

static int select_load_files(struct select_state *s)
{
    unsigned total = 0;
    for (unsigned fd = 0; fd < s->bits; fd++)
        total += wanted_of(s, fd) != 0;
    s->items = calloc(total + 1, sizeof(*s->items));
    s->fds = calloc(total + 1, sizeof(*s->fds));
    if (!s->items || !s->fds)
        return -ENOMEM;
    for (unsigned fd = 0; fd < s->bits; fd++) {
        uint32_t wanted = wanted_of(s, fd);
        if (!wanted)
            continue;
        struct poll_item *item = &s->items[s->count];
        int err = select_file((int)fd, item);
        if (err < 0)
            return err;
        item->wanted = wanted;
        s->fds[s->count++] = (int)fd;
    }
    return 0;
}

/* Turns what the files said into the three result sets; how many bits are set. */
static int select_results(struct select_state *s)
{
    int bits = 0;
    uint64_t *in = s->sets[0];
    uint64_t *out = calloc((size_t)s->words * SELECT_SETS + 1, sizeof(*out));
    if (!out)
        return -ENOMEM;
    for (unsigned i = 0; i < s->count; i++) {
        unsigned fd = (unsigned)s->fds[i];
        for (unsigned set = 0; set < SELECT_SETS; set++) {
            if (!in_set(s, set, fd) || !(s->items[i].got & select_events[set]))
                continue;
            out[(size_t)set * s->words + fd / 64] |= 1ULL << (fd % 64);
            bits++;
        }
    }
    memcpy(in, out, (size_t)s->words * SELECT_SETS * sizeof(*out));
    free(out);
    return bits;
}

static int select_store(struct select_state *s, const uaddr_t addrs[SELECT_SETS])
{
    for (unsigned i = 0; i < SELECT_SETS; i++) {
        int err = addrs[i] && s->words ? copy_to_user(addrs[i], s->sets[i], s->words * sizeof(uint64_t)) : 0;
        if (err < 0)
            return err;
    }
    return 0;
}

static int64_t select_wait(struct select_state *s, int64_t deadline)
{
    int n = poll_many(s->items, s->count, deadline);
    return n < 0 ? n : select_results(s);
}

static int64_t do_select(int n, const uaddr_t addrs[SELECT_SETS], int64_t deadline)
{
    struct select_state s = {0};
    if (n < 0)
        return -EINVAL;
    s.bits = MIN((unsigned)n, current->files->capacity);
    int64_t result = select_load_sets(&s, addrs);
    if (result == 0)
        result = select_load_files(&s);
    if (result == 0)
        result = select_wait(&s, deadline);
    if (result >= 0) {
        int err = select_store(&s, addrs);
        if (err < 0)
            result = err;
    }
    select_free(&s);
    return result;
}

int64_t sys_select(const uint64_t *a)
{
    int64_t deadline;
    int err = deadline_from_timeval(a[4], &deadline);
    if (err < 0)
        return err;
    const uaddr_t addrs[SELECT_SETS] = {a[1], a[2], a[3]};
    int64_t result = do_select((int)a[0], addrs, deadline);
    if (result == -ERESTARTSYS)
        result = -ERESTARTNOHAND;
    return finish_timeval(result, a[4], deadline);
}

int64_t sys_pselect6(const uint64_t *a)
{
    struct {
        uint64_t mask, size;
    } sig = {0};
    int64_t deadline;
    int err = a[5] ? get_user(&sig, a[5]) : 0;
    if (err == 0)
        err = deadline_from_timespec(a[4], &deadline);
    if (err == 0)
        err = set_mask(sig.mask, sig.size);
    if (err < 0)
        return err;
    const uaddr_t addrs[SELECT_SETS] = {a[1], a[2], a[3]};
    int64_t result = finish_mask(do_select((int)a[0], addrs, deadline), sig.mask);
    return finish_timespec(result, a[4], deadline);
}
