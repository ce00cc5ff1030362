/*
 * Patched system call sites, inside the platform. The story is in patch.c.
 *
 * Lock order: patch_space.lock > patch_file.lock > the locks of patch_table.c and patch_file.c
 * (spinlocks).
 */
#pragma once
#include "platform/internal.h"
#include "sched/mutex.h"

enum site_shape {
    SITE_UNKNOWN, /* not looked at yet */
    SITE_OTHER,   /* cannot be patched */
    SITE_LOAD,    /* mov $nr, %eax; syscall: 7 bytes */
    SITE_COMPARE, /* syscall; cmp $imm32, %rax: 8 bytes */
};

/* One system call instruction of a file. */
struct site {
    uint64_t
        offset; /* in the file, of the first byte to change; of the instruction while unknown */
    uint64_t instruction; /* in the file, of the instruction itself: the key */
    enum site_shape shape;
    uint32_t thunk; /* 0: none yet */
    uint64_t old_code, new_code;
};

struct patch_file {
    struct refcount refs;
    struct list link;              /* [table] */
    uint64_t dev, ino, generation; /* [I] */
    struct mutex lock;
    int fd;             /* [lock] the host's file, or -1 */
    unsigned base;      /* [lock] its slot in PATCH_BASES, or -1 */
    struct site *sites; /* [lock] sorted by instruction */
    unsigned site_count, site_cap;
    unsigned mappings;             /* [lock] how often it was mapped */
    int copy;                      /* [lock] memfd with patched text, or -1 */
    unsigned copy_sites;           /* [lock] patched in it */
    uint64_t copy_start, copy_end; /* [lock] the part of the file that it holds */
};

/* A mapping of executable pages of a file. */
struct patch_range {
    uaddr_t start, end;
    uint64_t offset;
    struct patch_file *file;
    bool based; /* its base is in the slot */
};

#define TRAP_COUNTERS 64

struct patch_space {
    struct mutex lock;
    struct patch_range *ranges; /* [lock] */
    unsigned count, cap;
    _Atomic bool compares; /* a SITE_COMPARE was patched: rips need fixing */
    struct {
        _Atomic uint64_t site;
        _Atomic uint32_t traps;
    } counters[TRAP_COUNTERS]; /* [a] lossy */
};

NODISCARD int patch_space_new(struct address_space *as);
void patch_space_free(struct address_space *as);
void patch_space_clear(struct address_space *as);
NODISCARD int patch_space_copy(struct address_space *as, struct address_space *from);
/* A call trapped at the instruction before regs.rip. `hot`: the stub has counted already. */
void patch_trapped(struct context *ctx, bool hot);
/* Where a thread that stands at rip must continue. */
/* The other way round: the position in the guest's text of a thread that stands behind a system call in a thunk. */
uaddr_t patch_origin_rip(struct address_space *as, uaddr_t rip);
uaddr_t patch_fixup_rip(struct address_space *as, uaddr_t rip);

/* ---- patch_file.c ---- */

/* [file locked] The site with that instruction, added if new; NULL: out of memory. */
struct site *patch_file_site(struct patch_file *f, uint64_t instruction);
/* [file locked] The site if it is known. */
struct site *patch_file_find(struct patch_file *f, uint64_t instruction);
/* [file locked] What it is or would be; SITE_OTHER if unreadable. */
enum site_shape patch_file_shape(struct patch_file *f, const struct site *s);
/* [file locked] Makes the site ready to be patched: shape, code, thunk. [start, end): the part of
 * the file that may jump to it. */
bool patch_file_prepare(struct patch_file *f, struct site *s, uint64_t start, uint64_t end);
/* [file locked] The copy with patched text for that part, made if it pays by now; or -1. */
int patch_file_copy(struct patch_file *f, uint64_t start, uint64_t end);
/* [file locked] */
bool patch_file_base(struct patch_file *f);

/* ---- patch_table.c ---- */

NODISCARD int patch_table_init(void);
/* Maps the table into the template. */
NODISCARD int patch_table_map(struct context *template_ctx, uint64_t entry);
uint64_t patch_table_entry(void);
/* A thunk for a site whose file maps at base slot `base`; its number, 0 when there is no room. */
uint32_t patch_table_load_thunk(unsigned base, uint32_t nr, uint32_t return_offset);
uint32_t patch_table_compare_thunk(unsigned base, uint32_t immediate, uint32_t return_offset);
/* Where a thread continues that had trapped at a SITE_COMPARE. */
uaddr_t patch_table_tail(uint32_t thunk);
/* Is it such a place? Then the file's base slot, and the offset of what follows the site. */
bool patch_table_find_tail(uaddr_t rip, uint32_t *ret_base_slot, uint32_t *ret_offset);
static inline uint32_t patch_table_slot(uint32_t thunk)
{
    return PATCH_SLOTS + thunk * 8;
}
static inline uint32_t patch_table_base_slot(unsigned base)
{
    return PATCH_BASES + base * 8;
}
