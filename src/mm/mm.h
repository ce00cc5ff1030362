/*
 * A guest address space as the kernel sees it: a tree of areas over the platform's address space.
 *
 * The host does the work (faults, copy on write, page cache of mapped files); the tree is what
 * Picket knows of it: for /proc/PID/maps, limits, mremap, fork and core files. Every mapping the
 * guest has was made by an order of this module, so tree and host agree; both change under
 * mm->lock.
 *
 * mm is shared by tasks made with CLONE_VM. Its host process (struct address_space) dies with the
 * last context. Lock: mm->lock (mutex), taken before any inode lock of a mapped file's mmap
 * operation.
 */
#pragma once
#include "base/base.h"
#include "base/rbtree.h"
#include "base/refcount.h"
#include "platform/platform.h"
#include "sched/mutex.h"

struct file;
struct strbuf;
struct path;

struct area {
    struct rb_node node;
    uaddr_t start, end;
    int prot;  /* PROT_... */
    int flags; /* MAP_SHARED or MAP_PRIVATE, MAP_NORESERVE, MAP_LOCKED, MAP_GROWSDOWN, AREA_... */
    struct file *file; /* reference, or NULL: anonymous */
    uint64_t offset;   /* in the file */
    const char *name;  /* static: "[heap]", "[stack]", "[vdso]", or NULL */
    uint32_t policy;   /* mbind(2): mm/mempolicy.h */
};

/* Flags of an area beside MAP_..., in bits that mmap(2) does not use. */
#define AREA_DONTFORK (1 << 21) /* madvise */
#define AREA_DONTDUMP (1 << 22)
#define AREA_WIPEONFORK (1 << 23)
#define AREA_NO_WRITE \
    (1 << 24) /* shared mapping of a file opened read-only: mprotect may not make it writable */
#define AREA_NO_EXEC (1 << 25) /* file on a noexec mount */

struct mm {
    struct refcount ref;
    _Atomic unsigned tasks; /* tasks with a context in it: mm_attach(), mm_detach() */
    struct mutex lock;
    struct address_space
        *as;              /* [lock] borrowed from the contexts; NULL after the last mm_detach() */
    struct rb_root areas; /* [lock] */
    uint64_t total_vm, locked_vm, data_vm, stack_vm, exec_vm; /* [lock] pages */
    unsigned area_count;                                      /* [lock] at most MM_MAX_AREAS */
    _Atomic uint64_t changes; /* [lock to change] counts what makes known_writable of tasks stale */
    uaddr_t mmap_base;      /* [lock] top-down search starts here (randomised) */
    uaddr_t stack_top;      /* [I] of an image: where the loader ends the stack (randomised) */
    uaddr_t free_cache;     /* [lock] the search goes on below this, see mm_find_free() */
    uint64_t free_hole;     /* [lock] largest free range known above free_cache */
    int future_flags;       /* [lock] MAP_LOCKED after mlockall(MCL_FUTURE) */
    uaddr_t brk_start, brk; /* [lock] */
    uaddr_t start_code, end_code, start_data, end_data, start_stack;
    uaddr_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv[64]; /* saved for /proc/PID/auxv */
    unsigned auxv_len;
    struct list aio; /* [lock] contexts of asynchronous I/O: kernel/aio.h */
};

#define MM_MAX_AREAS 65530

NODISCARD int mm_new(struct address_space *as, struct mm **ret);
NODISCARD int mm_fork(struct mm *mm, struct address_space *as,
                      struct mm **ret); /* mm->lock held since before platform_fork(): copies the tree */
struct mm *mm_get(struct mm *mm);
void mm_put(struct mm *mm);
/* Every task that has a context in mm is attached: mm_new() and mm_fork() do it for the first,
 * clone with CLONE_VM calls mm_attach(), and whoever is about to call context_exit() calls
 * mm_detach() first. Others that hold a reference (readers under /proc) then find the space gone
 * (-ESRCH) instead of a dangling address_space. */
void mm_attach(struct mm *mm);
void mm_detach(struct mm *mm);
/* exec in place: forgets every area (platform_reset() empties the host side). */
void mm_clear(struct mm *mm);

/* The verbs; they act on the current task's mm and context. Addresses or -errno. */
int64_t do_mmap(uaddr_t addr, uint64_t len, int prot, int flags, struct file *file,
                uint64_t offset);
int64_t do_munmap(uaddr_t addr, uint64_t len);
/* shmdt(2): unmaps what is left of the file that was mapped whole at addr. `size`: of a file of the right kind, or
 * 0. */
int64_t mm_unmap_file(uaddr_t addr, uint64_t (*size)(struct file *file));
int64_t do_mprotect(uaddr_t addr, uint64_t len, int prot);
int64_t do_mremap(uaddr_t old, uint64_t old_len, uint64_t new_len, int flags, uaddr_t new_addr);
int64_t do_remap_file_pages(uaddr_t start, uint64_t len, int prot, uint64_t page, int flags);
int64_t do_brk(uaddr_t brk);
int64_t do_madvise(uaddr_t addr, uint64_t len, int advice);
int64_t do_msync(uaddr_t addr, uint64_t len, int flags);
int64_t do_mlock(uaddr_t addr, uint64_t len, int flags);
int64_t do_munlock(uaddr_t addr, uint64_t len);
int64_t do_mlockall(int flags);
int64_t do_munlockall(void);
int64_t do_mincore(uaddr_t addr, uint64_t len, uaddr_t vec);

/*
 * For the loader: mappings made in a space nobody runs in yet. They are queued (deferred orders) so
 * that a whole image is one hand-off.
 */
NODISCARD int mm_map_file(struct mm *mm, struct context *ctx, uaddr_t addr, uint64_t len, int prot,
                          int flags, struct file *file, uint64_t offset);
NODISCARD int mm_map_anon(struct mm *mm, struct context *ctx, uaddr_t addr, uint64_t len, int prot,
                          int flags, const char *name);
/* A free range of len bytes that ends at or below `below` (0: mmap_base), aligned; 0 if none. lock
 * held. */
uaddr_t mm_find_free(struct mm *mm, uaddr_t below, uint64_t len, uint64_t align);
/* Picks mmap_base and stack_top for a new image; not at random when `fixed` (personality
 * ADDR_NO_RANDOMIZE). */
void mm_randomize(struct mm *mm, uint64_t stack_limit, bool fixed);
void mm_random_bytes(void *buf, size_t n); /* for what the loader randomises */

/* Can the current task's guest write all of [addr, addr + n), as far as the tree tells? False also when it cannot be
 * known without waiting. What was found is remembered in the task: cheap for buffers used again. */
bool mm_known_writable(uaddr_t addr, size_t n);

/* The area holding addr, or NULL. lock held; borrowed. */
struct area *mm_find_area(struct mm *mm, uaddr_t addr);
struct area *mm_first_area(struct mm *mm, uaddr_t from); /* the first that ends above `from` */

/* /proc/PID/maps, smaps (what the host can tell), statm. */
void mm_show_maps(struct mm *mm, const struct path *root, struct strbuf *out);
void mm_show_numa_maps(struct mm *mm, const struct path *root, struct strbuf *out);
/* The file mapped at exactly [start, end) (end 0: at start): its place with references, or -ENOENT. */
NODISCARD int mm_file_at(struct mm *mm, uaddr_t start, uaddr_t end, struct path *ret);
/* For core files: every area, in order (the caller frees; NULL: out of memory), and the contents of a note that
 * names the mapped files. */
struct core_area {
    uaddr_t start, end;
    uint64_t offset;
    int prot;
    bool is_file, shared, dont_dump;
};
struct core_area *mm_core_areas(struct mm *mm, size_t *ret_count);
void mm_core_files(struct mm *mm, struct strbuf *out);
/* Reads another process's memory (/proc/PID/mem, cmdline, environ): bytes or -errno. */
ssize_t mm_read(struct mm *mm, uaddr_t addr, void *buf, size_t n);
ssize_t mm_write(struct mm *mm, uaddr_t addr, const void *buf, size_t n);
/* For debuggers, inside one page, on the fiber that serves ctx: whatever the page's protection. 0, -EIO: there is
 * no page, or it is a file's that may not be written. */
NODISCARD int mm_force_copy(struct mm *mm, struct context *ctx, uaddr_t addr, char *buf, size_t n, bool write);
/* What is resident, as the host knows it (usage.c): zeroes, and false, if it does not tell. */
void mm_show_smaps(struct mm *mm, const struct path *root, struct strbuf *out);
void mm_show_smaps_rollup(struct mm *mm, struct strbuf *out);
bool mm_usage(struct mm *mm, struct memory_usage *ret);
uint64_t mm_rss(struct mm *mm); /* pages */
NODISCARD ssize_t mm_pagemap(struct mm *mm, uaddr_t addr, uint64_t *entries, size_t count);
NODISCARD int mm_clear_refs(struct mm *mm, int what);
void mm_set_oom(struct mm *mm, int adj); /* oom_score_adj as the guest sees it */
