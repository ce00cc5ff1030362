/*
 * Opening an image: scripts are replaced by their interpreters (at most five times), headers read
 * and checked, the dynamic linker opened. Nothing of the old image has changed when any of this
 * fails.
 */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "loader/image.h"
#include "loader/script.h"
#include "mm/mm.h"
#include "vfs/file.h"
#include "vfs/walk.h"
#include <stdlib.h>
#include <string.h>

#define MAX_SCRIPTS 5
#define HEAD_SIZE 4096 /* one read gets an ELF file's headers, and its interpreter's name */

struct head {
    struct file *file;
    size_t len;
    char bytes[HEAD_SIZE];
};

static ssize_t read_head(const struct elf_source *src, void *buf, size_t n, uint64_t offset)
{
    const struct head *h = src->arg;
    if (offset <= h->len && n <= h->len - offset) {
        memcpy(buf, h->bytes + offset, n);
        return (ssize_t)n;
    }
    if (offset > INT64_MAX)
        return 0;
    return vfs_read_kernel(h->file, buf, n, (int64_t)offset);
}

static int fill_head(struct head *h, struct file *file)
{
    ssize_t n = vfs_read_kernel(file, h->bytes, sizeof(h->bytes), 0);
    if (n < 0)
        return (int)n;
    h->file = file;
    h->len = (size_t)n;
    return 0;
}

static int read_elf(const struct head *h, struct elf *ret)
{
    struct elf_source src = {read_head, h};
    return elf_read(&src, ret);
}

/* ---- scripts ---- */

static size_t count_strings(char **v)
{
    size_t n = 0;
    while (v[n])
        n++;
    return n;
}

/* interpreter, its argument, the script's path, then argv[1...]. */
static int script_argv(struct image *image, const struct script *s, const char *path)
{
    const char *first[3] = {s->interp, s->has_arg ? s->arg : path, path};
    size_t head = s->has_arg ? 3 : 2, old = count_strings(image->argv), kept = old ? old - 1 : 0;
    size_t size = (head + kept + 1) * sizeof(char *);
    for (size_t i = 0; i < head; i++)
        size += strlen(first[i]) + 1;
    for (size_t i = 0; i < kept; i++)
        size += strlen(image->argv[i + 1]) + 1;
    char **argv = malloc(size);
    if (!argv)
        return -ENOMEM;
    char *to = (char *)(argv + head + kept + 1);
    for (size_t i = 0; i < head + kept; i++) {
        argv[i] = to;
        to = stpcpy(to, i < head ? first[i] : image->argv[i - head + 1]) + 1;
    }
    argv[head + kept] = NULL;
    if (image->argv_owned)
        free(image->argv);
    image->argv = argv;
    image->argv_owned = true;
    return 0;
}

/* A program's file: opened, its head read, scripts followed. *name is the path of the file in hand.
 */
static int open_program(struct image *image, const struct loader_args *args, struct head *h)
{
    CLEANUP_FREE char *name = strdup(image->execfn);
    int err =
        name ? vfs_open_exec(args->dirfd, args->filename, args->walk_flags, &image->exe) : -ENOMEM;
    for (int depth = 0; err == 0; depth++) {
        struct script script;
        err = fill_head(h, image->exe);
        if (err < 0 || script_parse(h->bytes, h->len, &script) < 0)
            break;
        if (depth == MAX_SCRIPTS)
            return -ELOOP;
        err = script_argv(image, &script, name);
        if (err < 0)
            break;
        image->is_script = true;
        free(name);
        name = strdup(script.interp);
        file_put(TAKE_PTR(image->exe));
        err = name ? vfs_open_exec(AT_FDCWD, name, WALK_FOLLOW, &image->exe) : -ENOMEM;
    }
    return err;
}

/* ---- open ---- */

/* What AT_EXECFN and a script's interpreter see: /dev/fd/N for a file named by its descriptor. */
static char *exec_name(const struct loader_args *args)
{
    struct strbuf name = STRBUF_INIT;
    if (args->dirfd == AT_FDCWD || args->filename[0] == '/')
        strbuf_puts(&name, args->filename);
    else if (!args->filename[0])
        strbuf_printf(&name, "/dev/fd/%d", args->dirfd);
    else
        strbuf_printf(&name, "/dev/fd/%d/%s", args->dirfd, args->filename);
    return strbuf_take(&name);
}

static int open_interpreter(struct image *image, struct head *h)
{
    if (!image->elf.interp)
        return 0;
    int err = vfs_open_exec(AT_FDCWD, image->elf.interp, WALK_FOLLOW, &image->interp_file);
    if (err == 0)
        err = fill_head(h, image->interp_file);
    if (err == 0)
        err = read_elf(h, &image->interp);
    if (err == -ENOEXEC || err == -EINVAL)
        return h->len < sizeof(Elf64_Ehdr) ? -EIO : -ELIBBAD;
    return err;
}

static int open_image(struct image *image, const struct loader_args *args)
{
    CLEANUP_FREE struct head *h = malloc(sizeof(*h));
    image->execfn = exec_name(args);
    if (!h || !image->execfn)
        return -ENOMEM;
    int err = open_program(image, args, h);
    if (err == 0)
        err = read_elf(h, &image->elf);
    return err == 0 ? open_interpreter(image, h) : err;
}

int loader_open(const struct loader_args *args, struct image **ret)
{
    static char *no_name[] = {(char *)"", NULL}; /* since 5.18 a program always has an argv[0] */
    struct image *image = calloc(1, sizeof(*image));
    if (!image)
        return -ENOMEM;
    image->argv = args->argv && args->argv[0] ? args->argv : no_name;
    image->envv = args->envv;
    int err = open_image(image, args);
    if (err < 0)
        image_free(image);
    else
        *ret = image;
    return err;
}

void image_free(struct image *image)
{
    if (image->exe)
        file_put(image->exe);
    if (image->interp_file)
        file_put(image->interp_file);
    elf_fini(&image->elf);
    elf_fini(&image->interp);
    if (image->argv_owned)
        free(image->argv);
    free(image->execfn);
    free(image);
}

struct file *image_exe(struct image *image)
{
    return image->exe;
}

const char *image_comm(struct image *image)
{
    const char *slash = strrchr(image->execfn, '/');
    return slash ? slash + 1 : image->execfn;
}

uint32_t image_mode(struct image *image, uint32_t *ret_uid, uint32_t *ret_gid)
{
    const struct attr *attr = &image->exe->inode->attr;
    *ret_uid = attr->uid;
    *ret_gid = attr->gid;
    return attr->mode;
}

/* ---- map ---- */

int loader_map(struct image *image, struct mm *mm, struct context *ctx, const struct cred *cred,
               bool secure)
{
    struct placed placed;
    uaddr_t sp;
    bool fixed = current && current->personality & 0x0040000; /* ADDR_NO_RANDOMIZE */
    mm_randomize(mm, current_limit(RLIMIT_STACK), fixed);
    int err = image_map_segments(image, mm, ctx, &placed);
    if (err == 0)
        err = image_build_stack(image, mm, ctx, cred, secure, &placed, &sp);
    if (err < 0)
        return err;
    *context_regs(ctx) = (struct regs){.rip = placed.start,
                                       .rsp = sp,
                                       .cs = USER_CS,
                                       .ss = USER_SS,
                                       .eflags = 0x202,
                                       .orig_rax = (uint64_t)-1};
    context_set_regs_dirty(ctx);
    return 0;
}
