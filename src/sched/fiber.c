/*
 * Fibers: their stacks, birth and death, and the calls a fiber makes about itself. Stacks of dead
 * fibers wait in a short list for the next ones, because mapping a fresh one costs several page
 * faults.
 */
#include "sched/fiber.h"
#include "sched/private.h"
#include "sched/wait.h"
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MAX_IDLE_STACKS 32

static struct {
    struct spinlock lock;
    struct fiber *first; /* [lock] linked through fiber->local */
    unsigned count;      /* [lock] */
} idle_stacks;

static __thread struct fiber thread_stand_in = {.is_thread = true};

static char *stack_base(struct fiber *f)
{
    return (char *)f + FIBER_HEADER_SIZE - FIBER_STACK_SIZE;
}

/* Maps a stack aligned to its size: twice the room, of which the ends that stick out go back. */
static struct fiber *stack_map(void)
{
    char *room = mmap(NULL, 2 * FIBER_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);
    if (room == MAP_FAILED)
        return NULL;
    char *base = (char *)align_up((uintptr_t)room, FIBER_STACK_SIZE);
    if (base > room)
        munmap(room, base - room);
    if (base - room < FIBER_STACK_SIZE)
        munmap(base + FIBER_STACK_SIZE, FIBER_STACK_SIZE - (base - room));
    mprotect(base, PAGE_SIZE, PROT_NONE);
    return (struct fiber *)(base + FIBER_STACK_SIZE - FIBER_HEADER_SIZE);
}

static struct fiber *stack_get(void)
{
    spin_lock(&idle_stacks.lock);
    struct fiber *f = idle_stacks.first;
    if (f) {
        idle_stacks.first = f->local;
        idle_stacks.count--;
    }
    spin_unlock(&idle_stacks.lock);
    return f ? f : stack_map();
}

void fiber_free(struct fiber *f)
{
    sanitizer_free(&f->stack);
    spin_lock(&idle_stacks.lock);
    bool keep = idle_stacks.count < MAX_IDLE_STACKS;
    if (keep) {
        f->local = idle_stacks.first;
        idle_stacks.first = f;
        idle_stacks.count++;
    }
    spin_unlock(&idle_stacks.lock);
    if (!keep)
        munmap(stack_base(f), FIBER_STACK_SIZE);
}

int64_t fiber_blocked_since(const struct fiber *f)
{
    return atomic_load_explicit(&f->blocked_since, memory_order_relaxed);
}

void fiber_discard(struct fiber *f)
{
    fiber_free(f);
}

static void fiber_entry(void)
{
    struct fiber *f = fiber_self();
    sanitizer_enter(&f->stack, &f->thread->stack);
    f->fn(f->arg);
    leave_stack(AFTER_EXIT, NULL);
    assert_always(!"a dead fiber runs");
}

static void timed_out(struct timer *t)
{
    struct fiber *f = container_of(t, struct fiber, timer);
    atomic_store(&f->timed_out, true);
    fiber_wake(f);
}

struct fiber *fiber_new(const char *name, void (*fn)(void *arg), void *arg)
{
    struct fiber *f = stack_get();
    if (!f)
        return NULL;
    memset(f, 0, sizeof(*f));
    f->name = name;
    f->fn = fn;
    f->arg = arg;
    f->stack.bottom = stack_base(f) + PAGE_SIZE;
    f->stack.size = FIBER_STACK_SIZE - PAGE_SIZE - FIBER_HEADER_SIZE;
    f->sp = stack_prepare(f, fiber_entry);
    atomic_init(&f->state, FIBER_BLOCKED);
    list_init(&f->link);
    timer_init(&f->timer, timed_out);
    sanitizer_new(&f->stack);
    return f;
}

void fiber_start(struct fiber *f)
{
    fiber_wake(f);
}

struct fiber *fiber_or_thread(void)
{
    if (in_fiber())
        return fiber_self();
    return &thread_stand_in;
}

void fiber_yield(void)
{
    if (in_fiber())
        leave_stack(AFTER_YIELD, NULL);
}

void fiber_interrupt(struct fiber *f)
{
    atomic_store(&f->interrupted, true);
    if (atomic_load(&f->interruptible))
        fiber_wake(f);
}

void fiber_clear_interrupt(struct fiber *f)
{
    atomic_store(&f->interrupted, false);
}

bool fiber_interrupted(const struct fiber *f)
{
    return atomic_load_explicit(&f->interrupted, memory_order_relaxed);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int64_t now_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t now_realtime(void)
{
    return read_clock(CLOCK_REALTIME);
}
