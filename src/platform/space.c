/*
 * Address spaces as objects: the shared memory of their contexts, their slots, and the table of
 * processes.
 *
 * The shared memory is one sparse memfd as large as the stub's mapping of it; the kernel maps banks
 * of BANK_CONTEXTS contexts as slots in them are used. It is mapped in no other process.
 *
 * Whoever claims to be a process is believed only if the table does not know it yet and its memory
 * shows the nonce of its contexts (process.c), so the kernel never kills or reads a process on a
 * guest's word.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "platform/patch.h"
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>

#define TABLE_SIZE 256
#define MAX_ORPHANS 64

static struct {
    struct spinlock lock;
    struct list buckets[TABLE_SIZE];
    bool ready;
    unsigned forks;             /* forks under way */
    pid_t orphans[MAX_ORPHANS]; /* that died before they were registered, while forks were under way
                                 */
    unsigned orphan_count;
} table;

static struct list *table_bucket(pid_t pid)
{
    if (!table.ready) {
        for (unsigned i = 0; i < TABLE_SIZE; i++)
            list_init(&table.buckets[i]);
        table.ready = true;
    }
    return &table.buckets[(unsigned)pid % TABLE_SIZE];
}

static struct address_space *table_find(pid_t pid)
{
    struct list *bucket = table_bucket(pid);
    struct address_space *as;

    list_for_each (as, bucket, link)
        if (as->pid == pid)
            return as;
    return NULL;
}

void space_fork_begin(void)
{
    spin_lock(&table.lock);
    table.forks++;
    spin_unlock(&table.lock);
}

void space_fork_end(void)
{
    spin_lock(&table.lock);
    if (--table.forks == 0)
        table.orphan_count = 0;
    spin_unlock(&table.lock);
}

static bool take_orphan(pid_t pid)
{
    for (unsigned i = 0; i < table.orphan_count; i++) {
        if (table.orphans[i] == pid) {
            table.orphans[i] = table.orphans[--table.orphan_count];
            return true;
        }
    }
    return false;
}

int space_register(struct address_space *as, pid_t pid)
{
    int err = 0;

    spin_lock(&table.lock);
    if (take_orphan(pid)) {
        err = -ESRCH;
    } else if (table_find(pid)) {
        err = -EEXIST;
    } else {
        as->pid = pid;
        refcount_get(&as->refs);
        list_add(table_bucket(pid), &as->link);
    }
    spin_unlock(&table.lock);
    return err;
}

void space_unregister(struct address_space *as)
{
    bool was;

    spin_lock(&table.lock);
    was = !list_empty(&as->link);
    list_del(&as->link);
    spin_unlock(&table.lock);
    if (was)
        space_put(as);
}

void space_mark_dead(struct address_space *as)
{
    struct context *ctx;

    spin_lock(&as->lock);
    atomic_store(&as->dead, true);
    list_for_each (ctx, &as->contexts, link)
        doorbell_ring(&ctx->bell);
    spin_unlock(&as->lock);
}

void space_died(pid_t pid)
{
    struct address_space *as;

    spin_lock(&table.lock);
    as = table_find(pid);
    if (as)
        list_del(&as->link);
    else if (table.forks && table.orphan_count < MAX_ORPHANS)
        table.orphans[table.orphan_count++] = pid;
    spin_unlock(&table.lock);
    if (!as)
        return;
    space_mark_dead(as);
    space_put(as);
}

/* any. The table lock keeps the pid from being reaped, and so from being another process's. */
void platform_kill(struct address_space *as)
{
    spin_lock(&table.lock);
    if (!list_empty(&as->link))
        kill(as->pid, SIGKILL);
    spin_unlock(&table.lock);
    space_mark_dead(as);
}

pid_t platform_host_pid(const struct address_space *as)
{
    return as->pid;
}

/* ---- memory and slots ---- */

int space_new(struct address_space **ret)
{
    struct address_space *as = calloc(1, sizeof(*as));

    if (!as)
        return -ENOMEM;
    refcount_init(&as->refs);
    list_init(&as->link);
    list_init(&as->contexts);
    as->control = -1;
    as->memfd = memfd_create("picket-contexts", MFD_CLOEXEC);
    if (as->memfd < 0 || patch_space_new(as) < 0 || ftruncate(as->memfd, CONTEXT_REGION) < 0 ||
        getrandom(as->nonce, sizeof(as->nonce), 0) != sizeof(as->nonce)) {
        int err = errno ? -errno : -ENOMEM;
        space_put(as);
        return err;
    }
    *ret = as;
    return 0;
}

void space_put(struct address_space *as)
{
    if (!refcount_put(&as->refs))
        return;
    assert(list_empty(&as->contexts));
    for (unsigned i = 0; i < BANK_COUNT; i++)
        if (as->banks[i])
            munmap(as->banks[i], BANK_SIZE);
    patch_space_free(as);
    cleanup_fd(&as->memfd);
    cleanup_fd(&as->control);
    free(as);
}

int space_slot_memory(struct address_space *as, unsigned slot, char **ret)
{
    unsigned bank = slot / BANK_CONTEXTS;
    char *memory = __atomic_load_n(&as->banks[bank], __ATOMIC_ACQUIRE);

    if (!memory) {
        char *fresh = mmap(NULL, BANK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, as->memfd,
                           (off_t)(bank * BANK_SIZE));
        if (fresh == MAP_FAILED)
            return -ENOMEM;
        if (__atomic_compare_exchange_n(&as->banks[bank], &memory, fresh, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            memory = fresh;
        else
            munmap(fresh, BANK_SIZE); /* another fiber was quicker */
    }
    *ret = memory + (slot % BANK_CONTEXTS) * (size_t)CONTEXT_STRIDE;
    return 0;
}

/* Frees the slots of a bank whose threads have gone since they left. */
static void reclaim_bank(struct address_space *as, unsigned bank)
{
    for (uint64_t bits = as->leaving[bank]; bits; bits &= bits - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(bits);
        struct stub_context *shared = (void *)(as->banks[bank] + bit * (size_t)CONTEXT_STRIDE);
        if (__atomic_load_n(&shared->tid, __ATOMIC_ACQUIRE) != 0)
            continue;
        as->leaving[bank] &= ~(1ULL << bit);
        as->used[bank] &= ~(1ULL << bit);
    }
}

int space_take_slot(struct address_space *as, unsigned *ret_slot)
{
    int err = -EAGAIN;

    spin_lock(&as->lock);
    for (unsigned bank = 0; bank < BANK_COUNT; bank++) {
        reclaim_bank(as, bank);
        if (~as->used[bank] == 0)
            continue;
        unsigned bit = (unsigned)__builtin_ctzll(~as->used[bank]);
        as->used[bank] |= 1ULL << bit;
        *ret_slot = bank * BANK_CONTEXTS + bit;
        err = 0;
        break;
    }
    spin_unlock(&as->lock);
    return err;
}

void space_take_given_slot(struct address_space *as, unsigned slot)
{
    spin_lock(&as->lock);
    as->used[slot / BANK_CONTEXTS] |= 1ULL << (slot % BANK_CONTEXTS);
    spin_unlock(&as->lock);
}

void space_leave_slot(struct address_space *as, unsigned slot)
{
    spin_lock(&as->lock);
    as->leaving[slot / BANK_CONTEXTS] |= 1ULL << (slot % BANK_CONTEXTS);
    spin_unlock(&as->lock);
}

void space_free_slot(struct address_space *as, unsigned slot)
{
    spin_lock(&as->lock);
    as->used[slot / BANK_CONTEXTS] &= ~(1ULL << (slot % BANK_CONTEXTS));
    spin_unlock(&as->lock);
}
