/*
 * The table of slots and thunks: one memfd, mapped at PATCH_TABLE in every stub process, writable
 * for the kernel only.
 *
 * A site jumps through its slot to its thunk. Thunks hold no address of a particular process: the
 * base of the file that the site is in comes from a private slot. They use no stack, because the
 * guest may keep data below its stack pointer, and change only rcx and flags, which a system call
 * or its site changes anyway.
 *
 *     mov $nr, %eax; syscall              syscall; cmp $imm, %rax
 *
 *     mov $nr, %eax                       mov $tail, %ecx
 *     mov base_slot, %rcx                 jmp *entry
 *     lea return_offset(%rcx), %rcx       syscall            a restart (rip - 2) of the tail lands
 * here jmp *entry                    tail: mov base_slot, %rcx lea return_offset(%rcx), %rcx cmp
 * $imm, %rax jmp *%rcx
 */
#include "platform/patch.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COMPARE_TAIL 14

static struct {
    struct spinlock lock;
    int memfd; /* sealed: no new writable mapping */
    char *memory;
    uint32_t next;  /* [lock] free thunk; 0: no table */
    uint64_t entry; /* of the stub */
} table;

int patch_table_init(void)
{
    table.memfd = memfd_create("picket-sites", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (table.memfd < 0 || ftruncate(table.memfd, PATCH_TABLE_SIZE) < 0)
        return -errno;
    table.memory = mmap(NULL, PATCH_TABLE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, table.memfd, 0);
    if (table.memory == MAP_FAILED ||
        fcntl(table.memfd, F_ADD_SEALS,
              F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -errno;
    table.memory[PATCH_SLOW_ENTRY - PATCH_TABLE] = 0x06;
    table.next = 1;
    return 0;
}

int patch_table_map(struct context *ctx, uint64_t entry)
{
    uint64_t private_args[6] = {PATCH_PRIVATE,          PATCH_PRIVATE_SIZE,
                                PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                                (uint64_t)-1,           0};
    int64_t ret = order_mmap_fd(ctx, PATCH_TABLE, PATCH_TABLE_SIZE, PROT_READ | PROT_EXEC,
                                MAP_SHARED | MAP_FIXED, table.memfd, 0, false);

    if (ret == PATCH_TABLE)
        ret = order_host(ctx, SYS_mmap, private_args);
    if (ret != PATCH_PRIVATE)
        return ret < 0 ? (int)ret : -EIO;
    if (platform_copy_out_sync(ctx, PATCH_ENTRY, &entry, sizeof(entry)) != sizeof(entry))
        return -EFAULT;
    table.entry = entry;
    return 0;
}

uint64_t patch_table_entry(void)
{
    return table.entry;
}

/* ---- thunks ---- */

struct code {
    uint8_t bytes[2 * PATCH_THUNK_SIZE];
    unsigned len;
};

static void emit(struct code *c, const void *bytes, unsigned n)
{
    memcpy(c->bytes + c->len, bytes, n);
    c->len += n;
}

static void emit32(struct code *c, uint32_t value)
{
    emit(c, &value, sizeof(value));
}

static void emit_return_address(struct code *c, unsigned base, uint32_t offset)
{
    emit(c, "\x48\x8b\x0c\x25", 4); /* mov base_slot, %rcx */
    emit32(c, patch_table_base_slot(base));
    emit(c, "\x48\x8d\x89", 3); /* lea offset(%rcx), %rcx */
    emit32(c, offset);
}

static void emit_enter(struct code *c)
{
    emit(c, "\xff\x24\x25", 3); /* jmp *entry */
    emit32(c, PATCH_ENTRY);
}

static uint32_t take_thunk(unsigned units)
{
    uint32_t first = 0;

    spin_lock(&table.lock);
    if (table.next && table.next + units <= PATCH_MAX_THUNKS) {
        first = table.next;
        table.next += units;
    }
    spin_unlock(&table.lock);
    return first;
}

static uaddr_t thunk_address(uint32_t thunk)
{
    return PATCH_THUNKS + (uaddr_t)thunk * PATCH_THUNK_SIZE;
}

static void publish(uint32_t thunk, const struct code *c)
{
    uint64_t address = thunk_address(thunk);

    memcpy(table.memory + (address - PATCH_TABLE), c->bytes, c->len);
    memcpy(table.memory + (patch_table_slot(thunk) - PATCH_TABLE), &address, sizeof(address));
    atomic_thread_fence(memory_order_seq_cst);
}

uint32_t patch_table_load_thunk(unsigned base, uint32_t nr, uint32_t return_offset)
{
    struct code c = {.len = 0};
    uint32_t thunk = take_thunk(1);

    if (!thunk)
        return 0;
    emit(&c, "\xb8", 1); /* mov $nr, %eax */
    emit32(&c, nr);
    emit_return_address(&c, base, return_offset);
    emit_enter(&c);
    assert(c.len <= PATCH_THUNK_SIZE);
    publish(thunk, &c);
    return thunk;
}

uint32_t patch_table_compare_thunk(unsigned base, uint32_t immediate, uint32_t return_offset)
{
    struct code c = {.len = 0};
    uint32_t thunk = take_thunk(2);

    if (!thunk)
        return 0;
    emit(&c, "\xb9", 1); /* mov $tail, %ecx */
    emit32(&c, (uint32_t)patch_table_tail(thunk));
    emit_enter(&c);
    emit(&c, "\x0f\x05", 2);
    assert(c.len == COMPARE_TAIL);
    emit_return_address(&c, base, return_offset);
    emit(&c, "\x48\x3d", 2); /* cmp $immediate, %rax */
    emit32(&c, immediate);
    emit(&c, "\xff\xe1", 2); /* jmp *%rcx */
    assert(c.len <= 2 * PATCH_THUNK_SIZE);
    publish(thunk, &c);
    return thunk;
}

uaddr_t patch_table_tail(uint32_t thunk)
{
    return thunk_address(thunk) + COMPARE_TAIL;
}

bool patch_table_find_tail(uaddr_t rip, uint32_t *ret_base_slot, uint32_t *ret_offset)
{
    const uint8_t *code;

    if (rip < PATCH_THUNKS || rip + 15 >= PATCH_TABLE + PATCH_TABLE_SIZE ||
        rip % PATCH_THUNK_SIZE != COMPARE_TAIL)
        return false;
    code = (const uint8_t *)table.memory + (rip - PATCH_TABLE);
    if (memcmp(code, "\x48\x8b\x0c\x25", 4) != 0 || memcmp(code + 8, "\x48\x8d\x89", 3) != 0)
        return false;
    memcpy(ret_base_slot, code + 4, sizeof(*ret_base_slot));
    memcpy(ret_offset, code + 11, sizeof(*ret_offset));
    return true;
}
