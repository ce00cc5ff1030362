/*
 * The first stack, from its top: eight zero bytes, the program's name, the environment's strings,
 * argv's strings, a random gap, the platform's name, 16 random bytes, then (upwards from the stack
 * pointer) argc, argv[], envp[] and the auxiliary vector. It is put together in kernel memory and
 * written by one deferred copy.
 */
#include "base/cleanup.h"
#include "kernel/limits.h"
#include "loader/image.h"
#include "mm/mm.h"
#include <cpuid.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define STACK_DEFAULT (8UL << 20)
#define STACK_MIN (132UL << 10)
#define STACK_MAX (64UL << 20)
#define MAX_AUXV 32
#define HWCAP2_FSGSBASE 2u
#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#define AT_RSEQ_ALIGN 28
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* The image of the topmost `size` bytes of the stack, filled from its end. */
struct stack {
    uaddr_t top; /* guest address of bytes + size */
    char *bytes;
    size_t size, used;
    size_t argc, envc;
};

static uaddr_t push(struct stack *s, const void *data, size_t n)
{
    assert_always(n <= s->size - s->used);
    s->used += n;
    if (data)
        memcpy(s->bytes + s->size - s->used, data, n);
    else
        memset(s->bytes + s->size - s->used, 0, n);
    return s->top - s->used;
}

/* Pushes padding until the stack pointer is a multiple of `to` after n more bytes. */
static void push_alignment(struct stack *s, size_t n, size_t to)
{
    push(s, NULL, (s->top - s->used - n) & (to - 1));
}

static size_t strings_size(char **v, size_t *ret_count)
{
    size_t size = 0, n = 0;
    for (; v && v[n]; n++)
        size += strlen(v[n]) + 1;
    *ret_count = n;
    return size;
}

/* Pushes the strings so that the first lies lowest; their guest addresses go to addrs. */
static void push_strings(struct stack *s, char **v, size_t count, uint64_t *addrs)
{
    for (size_t i = count; i-- > 0;)
        addrs[i] = push(s, v[i], strlen(v[i]) + 1);
}

static void aux(struct mm *mm, uint64_t type, uint64_t value)
{
    assert_always(mm->auxv_len + 2 <= ARRAY_SIZE(mm->auxv));
    mm->auxv[mm->auxv_len++] = type;
    mm->auxv[mm->auxv_len++] = value;
}

/* What Linux puts there: CPUID's first feature word. (The C library's getauxval() has a word of its
 * own.) Asked once: in a virtual machine the instruction leaves it, which takes longer than all the
 * rest of this file. */
static uint64_t cpu_features(void)
{
    static _Atomic uint64_t known;
    uint64_t features = atomic_load_explicit(&known, memory_order_relaxed);
    if (features)
        return features;
    uint32_t a, b, c, d = 0;
    __get_cpuid(1, &a, &b, &c, &d);
    atomic_store_explicit(&known, d, memory_order_relaxed);
    return d;
}

/* DEVIATION: FSGSBASE is not offered: a guest that moves its GS base by itself would take the slow
 * way to the kernel. */
static void build_auxv(struct mm *mm, const struct image *image, const struct placed *placed,
                       const struct cred *cred, bool secure, uaddr_t execfn, uaddr_t platform_name,
                       uaddr_t random)
{
    mm->auxv_len = 0;
    uaddr_t vdso = platform_vdso();
    if (vdso)
        aux(mm, AT_SYSINFO_EHDR, vdso);
    aux(mm, AT_MINSIGSTKSZ, getauxval(AT_MINSIGSTKSZ) ? getauxval(AT_MINSIGSTKSZ) : 2048);
    aux(mm, AT_HWCAP, cpu_features());
    aux(mm, AT_PAGESZ, PAGE_SIZE);
    aux(mm, AT_CLKTCK, 100);
    aux(mm, AT_PHDR, image->elf.phdr_vaddr ? image->elf.phdr_vaddr + placed->bias : 0);
    aux(mm, AT_PHENT, sizeof(Elf64_Phdr));
    aux(mm, AT_PHNUM, image->elf.phnum);
    aux(mm, AT_BASE, placed->interp_base);
    aux(mm, AT_FLAGS, 0);
    aux(mm, AT_ENTRY, placed->entry);
    aux(mm, AT_UID, cred->uid);
    aux(mm, AT_EUID, cred->euid);
    aux(mm, AT_GID, cred->gid);
    aux(mm, AT_EGID, cred->egid);
    aux(mm, AT_SECURE, secure);
    aux(mm, AT_RANDOM, random);
    aux(mm, AT_HWCAP2, getauxval(AT_HWCAP2) & ~(unsigned long)HWCAP2_FSGSBASE);
    if (getauxval(AT_RSEQ_FEATURE_SIZE)) {
        aux(mm, AT_RSEQ_FEATURE_SIZE, getauxval(AT_RSEQ_FEATURE_SIZE));
        aux(mm, AT_RSEQ_ALIGN, getauxval(AT_RSEQ_ALIGN));
    }
    aux(mm, AT_EXECFN, execfn);
    aux(mm, AT_PLATFORM, platform_name);
    aux(mm, AT_NULL, 0);
}

/* Everything above the words at the stack pointer; then those. */
static uaddr_t fill(struct stack *s, struct mm *mm, const struct image *image,
                    const struct placed *placed, const struct cred *cred, bool secure,
                    uint64_t *words)
{
    unsigned char random[16 + 2];
    uint64_t *argv = words + 1, *envp = argv + s->argc + 1, *auxv = envp + s->envc + 1;
    mm_random_bytes(random, sizeof(random));
    push(s, NULL, 8);
    uaddr_t execfn = push(s, image->execfn, strlen(image->execfn) + 1);
    mm->env_end = execfn;
    push_strings(s, image->envv, s->envc, envp);
    mm->env_start = mm->arg_end = s->top - s->used;
    push_strings(s, image->argv, s->argc, argv);
    mm->arg_start = s->top - s->used;
    bool fixed = current && current->personality & 0x0040000; /* ADDR_NO_RANDOMIZE */
    push(s, NULL, fixed ? 0 : (random[16] | random[17] << 8) % 8192);
    push_alignment(s, 0, 16);
    uaddr_t name = push(s, "x86_64", sizeof("x86_64"));
    uaddr_t at_random = push(s, random, 16);
    build_auxv(mm, image, placed, cred, secure, execfn, name, at_random);
    words[0] = s->argc;
    argv[s->argc] = envp[s->envc] = 0;
    memcpy(auxv, mm->auxv, mm->auxv_len * sizeof(uint64_t));
    size_t bytes = (size_t)(auxv + mm->auxv_len - words) * sizeof(uint64_t);
    push_alignment(s, bytes, 16);
    return push(s, words, bytes);
}

/* All of the stack there will ever be, since the host does not grow it: the soft limit, within
 * reason. */
static uint64_t stack_size(size_t need)
{
    uint64_t limit = current_limit(RLIMIT_STACK);
    uint64_t size =
        limit == RLIM_INFINITY ? STACK_DEFAULT : align_down(MIN(limit, STACK_MAX), PAGE_SIZE);
    uint64_t least = align_up(need + STACK_MIN, PAGE_SIZE);
    return MAX(size, least);
}

static int map_stack(struct image *image, struct mm *mm, struct context *ctx, uint64_t size)
{
    int prot = PROT_READ | PROT_WRITE | (image->elf.exec_stack ? PROT_EXEC : 0);
    return mm_map_anon(mm, ctx, mm->stack_top - size, size, prot,
                       MAP_PRIVATE | MAP_GROWSDOWN | MAP_NORESERVE, "[stack]");
}

int image_build_stack(struct image *image, struct mm *mm, struct context *ctx,
                      const struct cred *cred, bool secure, const struct placed *placed,
                      uaddr_t *ret_sp)
{
    struct stack s = {.top = mm->stack_top};
    size_t strings = strings_size(image->argv, &s.argc) + strings_size(image->envv, &s.envc) +
                     strlen(image->execfn);
    size_t words = 1 + s.argc + 1 + s.envc + 1 + 2 * MAX_AUXV;
    s.size = strings + words * sizeof(uint64_t) + 8192 + 256;
    s.bytes = malloc(s.size);
    CLEANUP_FREE char *bytes = s.bytes;
    CLEANUP_FREE uint64_t *table = calloc(words, sizeof(*table));
    if (!bytes || !table)
        return -ENOMEM;
    int err = map_stack(image, mm, ctx, stack_size(s.size));
    if (err < 0)
        return err;
    uaddr_t sp = fill(&s, mm, image, placed, cred, secure, table);
    mm->start_stack = sp;
    ssize_t n = platform_copy_out(ctx, sp, s.bytes + s.size - s.used, s.used);
    if (n != (ssize_t)s.used)
        return n < 0 ? (int)n : -EFAULT;
    *ret_sp = sp;
    return 0;
}
