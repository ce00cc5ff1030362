/*
 * Copying a string vector. The strings of an argument vector lie close together (on a stack, in a
 * heap), so memory is read page by page through a small cache: a vector of fifty strings costs a
 * few hand-offs instead of fifty.
 */
#include "loader/args.h"
#include "kernel/limits.h"
#include "mm/uaccess.h"
#include <stdlib.h>
#include <string.h>

#define CACHE_PAGES 8
#define BUDGET_MAX (6UL << 20)
#define BUDGET_MIN (128UL << 10)

struct page_cache {
    struct {
        uaddr_t page; /* 0: empty; page 0 is never mapped */
        size_t len;   /* valid bytes */
        char data[PAGE_SIZE];
    } slot[CACHE_PAGES];
    unsigned next;
};

/* A growing buffer with the strings, and the offset of each in it. */
struct vector {
    char *bytes;
    size_t len, capacity;
    size_t *offsets;
    size_t count, offset_capacity;
};

void args_budget_init(struct args_budget *b)
{
    uint64_t stack = current_limit(RLIMIT_STACK) / 4;
    size_t most = MIN(stack, BUDGET_MAX);
    b->left = MAX(most, BUDGET_MIN);
}

static int budget_take(struct args_budget *b, size_t n)
{
    if (n > b->left)
        return -E2BIG;
    b->left -= n;
    return 0;
}

/* The bytes from addr to the end of its page, out of the cache: their number, 0 if addr is bad. */
static size_t cached_bytes(struct page_cache *c, uaddr_t addr, const char **ret)
{
    uaddr_t page = align_down(addr, PAGE_SIZE);
    unsigned i = 0;
    while (i < CACHE_PAGES && c->slot[i].page != page)
        i++;
    if (i == CACHE_PAGES) {
        i = c->next++ % CACHE_PAGES;
        c->slot[i].page = page;
        c->slot[i].len = page ? copy_from_user_partial(c->slot[i].data, page, PAGE_SIZE) : 0;
    }
    size_t offset = addr - page;
    *ret = c->slot[i].data + offset;
    return c->slot[i].len > offset ? c->slot[i].len - offset : 0;
}

static int read_pointer(struct page_cache *c, uaddr_t addr, uaddr_t *ret)
{
    size_t done = 0;
    while (done < sizeof(*ret)) {
        const char *from;
        size_t there = cached_bytes(c, addr + done, &from), n = MIN(there, sizeof(*ret) - done);
        if (n == 0)
            return -EFAULT;
        memcpy((char *)ret + done, from, n);
        done += n;
    }
    return 0;
}

static int vector_add(struct vector *v, const char *s, size_t n)
{
    if (v->len + n > v->capacity) {
        size_t capacity = v->capacity ? v->capacity * 2 : PAGE_SIZE;
        while (capacity < v->len + n)
            capacity *= 2;
        char *bytes = realloc(v->bytes, capacity);
        if (!bytes)
            return -ENOMEM;
        v->bytes = bytes;
        v->capacity = capacity;
    }
    memcpy(v->bytes + v->len, s, n);
    v->len += n;
    return 0;
}

static int vector_begin(struct vector *v)
{
    if (v->count == v->offset_capacity) {
        size_t capacity = v->offset_capacity ? v->offset_capacity * 2 : 64;
        size_t *offsets = realloc(v->offsets, capacity * sizeof(*offsets));
        if (!offsets)
            return -ENOMEM;
        v->offsets = offsets;
        v->offset_capacity = capacity;
    }
    v->offsets[v->count++] = v->len;
    return 0;
}

static int copy_string(struct page_cache *c, struct vector *v, uaddr_t addr, struct args_budget *b)
{
    int err = vector_begin(v);
    for (size_t total = 0; err == 0;) {
        const char *from;
        size_t there = cached_bytes(c, addr + total, &from), n = strnlen(from, there);
        bool ends = n < there;
        if (there == 0)
            return -EFAULT;
        total += n + ends;
        err = total > ARG_STRING_MAX ? -E2BIG : budget_take(b, n + ends);
        if (err == 0)
            err = vector_add(v, from, n + ends);
        if (ends)
            break;
    }
    return err;
}

static int copy_strings(struct page_cache *c, struct vector *v, uaddr_t vec, struct args_budget *b)
{
    for (;; vec += sizeof(uaddr_t)) {
        uaddr_t string;
        int err = read_pointer(c, vec, &string);
        if (err < 0 || !string)
            return err;
        err = budget_take(b, sizeof(uaddr_t));
        if (err == 0)
            err = copy_string(c, v, string, b);
        if (err < 0)
            return err;
    }
}

/* Pointers and strings in one block. */
static int vector_pack(const struct vector *v, char ***ret)
{
    size_t table = (v->count + 1) * sizeof(char *);
    char **out = malloc(table + v->len);
    if (!out)
        return -ENOMEM;
    char *bytes = (char *)out + table;
    if (v->len)
        memcpy(bytes, v->bytes, v->len);
    for (size_t i = 0; i < v->count; i++)
        out[i] = bytes + v->offsets[i];
    out[v->count] = NULL;
    *ret = out;
    return 0;
}

int args_from_user(uaddr_t vec, struct args_budget *b, char ***ret)
{
    struct vector v = {0};
    if (!vec)
        return vector_pack(&v, ret);
    struct page_cache *c = malloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->next = 0;
    for (unsigned i = 0; i < CACHE_PAGES; i++) {
        c->slot[i].page = 0;
        c->slot[i].len = 0;
    }
    int err = copy_strings(c, &v, vec, b);
    if (err == 0)
        err = vector_pack(&v, ret);
    free(c);
    free(v.bytes);
    free(v.offsets);
    return err;
}
