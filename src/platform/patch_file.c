/*
 * What is known of one file's system call sites, learnt from traps, and its copy with patched text.
 *
 * Everything is decided from the file's own bytes, never from guest memory, because thunks and
 * copies serve all processes of the sandbox. A site is known to be an instruction because it
 * trapped; that the five bytes before it are one too is likely (no prefix before them, and the
 * number they load is a system call's) and a mistake would show as another number: a jump to the
 * syscall instruction itself stays correct, see stub/signal.c. Displacing the compare behind a
 * syscall is right only if nothing jumps to it, so the whole text is searched for such jumps.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/log.h"
#include "platform/patch.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BUCKETS 64
#define MAX_FILES 1024
#define MAX_SYSCALL_NR 1024
#define MAX_TEXT (64UL << 20)
#define COPY_AFTER_MAPPINGS 3

static struct {
    struct spinlock lock;
    struct list buckets[FILE_BUCKETS];
    bool ready;
    unsigned count, bases;
} files;

/* ---- the table of files ---- */

static struct list *bucket_of(uint64_t dev, uint64_t ino)
{
    if (!files.ready) {
        for (unsigned i = 0; i < FILE_BUCKETS; i++)
            list_init(&files.buckets[i]);
        files.ready = true;
    }
    return &files.buckets[hash_u64(ino ^ dev << 32) % FILE_BUCKETS];
}

static struct patch_file *find_file(struct list *bucket, uint64_t dev, uint64_t ino,
                                    uint64_t generation)
{
    struct patch_file *f;

    list_for_each (f, bucket, link)
        if (f->ino == ino && f->dev == dev && f->generation == generation)
            return f;
    return NULL;
}

static struct patch_file *file_new(uint64_t dev, uint64_t ino, uint64_t generation)
{
    struct patch_file *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    refcount_init(&f->refs); /* the table's, which keeps what was learnt */
    mutex_init(&f->lock);
    f->dev = dev;
    f->ino = ino;
    f->generation = generation;
    f->fd = f->copy = -1;
    f->base = (unsigned)-1;
    return f;
}

/* Files stay known after their last mapping; MAX_FILES bounds the table. */
int patch_file_get(uint64_t dev, uint64_t ino, uint64_t generation, struct patch_file **ret)
{
    struct patch_file *fresh = NULL, *f;
    struct list *bucket;

    for (;;) {
        spin_lock(&files.lock);
        bucket = bucket_of(dev, ino);
        f = find_file(bucket, dev, ino, generation);
        if (!f && fresh && files.count < MAX_FILES) {
            f = TAKE_PTR(fresh);
            list_add(bucket, &f->link);
            files.count++;
        }
        if (f)
            refcount_get(&f->refs);
        spin_unlock(&files.lock);
        if (f || fresh)
            break;
        fresh = file_new(dev, ino, generation);
        if (!fresh)
            return -ENOMEM;
    }
    free(fresh);
    if (!f)
        return -ENOSPC;
    *ret = f;
    return 0;
}

void patch_file_put(struct patch_file *f)
{
    bool last = refcount_put(&f->refs);

    assert_always(!last);
    (void)last;
}

bool patch_file_base(struct patch_file *f)
{
    if (f->base != (unsigned)-1)
        return true;
    spin_lock(&files.lock);
    if (files.bases < PATCH_MAX_BASES)
        f->base = files.bases++;
    spin_unlock(&files.lock);
    return f->base != (unsigned)-1;
}

/* ---- sites ---- */

static unsigned site_index(const struct patch_file *f, uint64_t instruction)
{
    unsigned lo = 0, hi = f->site_count;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (f->sites[mid].instruction < instruction)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct site *patch_file_find(struct patch_file *f, uint64_t instruction)
{
    unsigned i = site_index(f, instruction);

    return i < f->site_count && f->sites[i].instruction == instruction ? &f->sites[i] : NULL;
}

struct site *patch_file_site(struct patch_file *f, uint64_t instruction)
{
    unsigned i = site_index(f, instruction);

    if (i < f->site_count && f->sites[i].instruction == instruction)
        return &f->sites[i];
    if (f->site_count == f->site_cap) {
        unsigned cap = f->site_cap ? f->site_cap * 2 : 32;
        struct site *grown = realloc(f->sites, cap * sizeof(*grown));
        if (!grown)
            return NULL;
        f->sites = grown;
        f->site_cap = cap;
    }
    memmove(&f->sites[i + 1], &f->sites[i], (f->site_count - i) * sizeof(*f->sites));
    f->site_count++;
    f->sites[i] = (struct site){.instruction = instruction, .offset = instruction};
    return &f->sites[i];
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static bool is_rex(uint8_t byte)
{
    return (byte & 0xf0) == 0x40;
}

/* code[0] is the instruction at `at`; six bytes before and eight from it on are there. */
static enum site_shape classify(const uint8_t *at)
{
    if (at[0] != 0x0f || at[1] != 0x05)
        return SITE_OTHER;
    if (at[-5] == 0xb8 && get32(at - 4) < MAX_SYSCALL_NR && !is_rex(at[-6]))
        return SITE_LOAD;
    if (at[2] == 0x48 && at[3] == 0x3d)
        return SITE_COMPARE;
    return SITE_OTHER;
}

/* Does any direct jump in text (at file offset `start`) go to `target`? Every byte may begin one.
 */
static bool jumped_to(const uint8_t *text, size_t len, uint64_t start, uint64_t target)
{
    uint32_t distance = (uint32_t)(target - start) - 4;

    for (size_t i = 0; i + 4 <= len; i++)
        if (get32(text + i) == (uint32_t)(distance - i))
            return true;
    size_t at = target - start, from = at > 130 ? at - 130 : 0;
    for (size_t i = from; i + 2 <= len && i < at + 128; i++) {
        uint8_t op = text[i];
        bool is_short = (op & 0xf0) == 0x70 || op == 0xeb || (op & 0xfc) == 0xe0;
        if (is_short && i + 2 + (size_t)(int8_t)text[i + 1] == at)
            return true;
    }
    return false;
}

/* Decides a site from the text of its file; the thunk makes it patchable. */
static bool prepare(struct patch_file *f, struct site *s, const uint8_t *text, size_t len,
                    uint64_t start)
{
    size_t at = s->instruction - start;
    const uint8_t *code = text + at;

    if (s->shape != SITE_UNKNOWN)
        return s->thunk != 0;
    s->shape = SITE_OTHER;
    if (s->instruction < start + 6 || at + 8 > len || !patch_file_base(f) ||
        s->instruction > INT32_MAX)
        return false;
    s->shape = classify(code);
    if (s->shape == SITE_LOAD) {
        s->offset = s->instruction - 5;
        s->thunk = patch_table_load_thunk(f->base, get32(code - 4), (uint32_t)s->instruction + 2);
    } else if (s->shape == SITE_COMPARE && !jumped_to(text, len, start, s->instruction + 2)) {
        s->thunk =
            patch_table_compare_thunk(f->base, get32(code + 4), (uint32_t)s->instruction + 8);
    }
    if (!s->thunk)
        return false;
    uint8_t bytes[8] = {0xff, 0x24, 0x25};
    uint32_t slot = patch_table_slot(s->thunk);
    memcpy(bytes + 3, &slot, sizeof(slot));
    bytes[7] = s->shape == SITE_LOAD ? text[s->offset - start + 7] : 0x90;
    memcpy(&s->old_code, text + (s->offset - start), sizeof(s->old_code));
    memcpy(&s->new_code, bytes, sizeof(s->new_code));
    return true;
}

/* The text of a file, read to memory: a mapping would end the kernel when the file shrinks. */
static uint8_t *read_text(const struct patch_file *f, uint64_t start, uint64_t end)
{
    size_t len = end - start, done = 0;
    uint8_t *text = len <= MAX_TEXT && f->fd >= 0 ? calloc(1, len) : NULL;

    while (text && done < len) {
        ssize_t n = pread(f->fd, text + done, len - done, (off_t)(start + done));
        if (n < 0) {
            free(text);
            return NULL;
        }
        if (n == 0)
            break; /* the last page's rest */
        done += (size_t)n;
    }
    return text;
}

enum site_shape patch_file_shape(struct patch_file *f, const struct site *s)
{
    uint8_t around[16];

    if (s->shape != SITE_UNKNOWN)
        return s->shape;
    if (s->instruction < 8 || pread(f->fd, around, 16, (off_t)s->instruction - 8) != 16)
        return SITE_OTHER;
    return classify(around + 8);
}

bool patch_file_prepare(struct patch_file *f, struct site *s, uint64_t start, uint64_t end)
{
    uint8_t around[16];
    CLEANUP_FREE uint8_t *text = NULL;

    if (s->shape != SITE_UNKNOWN)
        return s->thunk != 0;
    if (s->instruction < start + 8 || pread(f->fd, around, 16, (off_t)s->instruction - 8) != 16)
        return false;
    if (classify(around + 8) != SITE_COMPARE)
        return prepare(f, s, around, sizeof(around), s->instruction - 8);
    text = read_text(f, start, end);
    return text && prepare(f, s, text, end - start, start);
}

/* ---- the copy ---- */

/* The known sites in the text, patched. */
static unsigned patch_text(struct patch_file *f, uint8_t *text, uint64_t start, uint64_t end)
{
    unsigned patched = 0;

    for (unsigned i = 0; i < f->site_count; i++) {
        struct site *s = &f->sites[i];
        if (s->instruction >= start && s->instruction < end)
            prepare(f, s, text, end - start, start);
    }
    for (unsigned i = 0; i < f->site_count; i++) {
        struct site *s = &f->sites[i];
        if (!s->thunk || s->offset < start || s->offset + 8 > end)
            continue;
        memcpy(text + (s->offset - start), &s->new_code, sizeof(s->new_code));
        patched++;
    }
    return patched;
}

static int write_copy(const uint8_t *text, uint64_t start, uint64_t end)
{
    CLEANUP_FD int fd = memfd_create("picket-text", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t len = end - start, done = 0;

    if (fd < 0)
        return -1;
    while (done < len) {
        ssize_t n = pwrite(fd, text + done, len - done, (off_t)(start + done));
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -1;
    return TAKE_FD(fd);
}

static void make_copy(struct patch_file *f, uint64_t start, uint64_t end)
{
    CLEANUP_FREE uint8_t *text = read_text(f, start, end);
    unsigned patched = text ? patch_text(f, text, start, end) : 0;
    int fd = patched ? write_copy(text, start, end) : -1;

    f->copy_sites = f->site_count; /* even if it failed: not again before more is known */
    if (fd < 0)
        return;
    cleanup_fd(&f->copy);
    f->copy = fd;
    f->copy_start = start;
    f->copy_end = end;
    log_debug("patch: a copy of inode %lu with %u sites", f->ino, patched);
}

int patch_file_copy(struct patch_file *f, uint64_t start, uint64_t end)
{
    if (f->mappings >= COPY_AFTER_MAPPINGS && f->fd >= 0 &&
        f->site_count > f->copy_sites + f->copy_sites / 2)
        make_copy(f, start, end);
    return f->copy >= 0 && f->copy_start <= start && f->copy_end >= end ? f->copy : -1;
}
