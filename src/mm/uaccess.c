/*
 * Guest memory for the kernel: checks that need no hand-off, then the platform's copies on the
 * current task's context. A fiber without a guest (background work, boot) has no such memory: every
 * access is -EFAULT.
 */
#include "mm/uaccess.h"
#include "kernel/task.h"
#include "platform/platform.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_STRING 256 /* most paths: read to the stack, then sized exactly */

static const char zeroes[16 * 1024];

static struct context *guest(void)
{
    struct task *t = current;
    return t ? t->ctx : NULL;
}

bool access_ok(uaddr_t addr, size_t len)
{
    return len <= GUEST_END && addr <= GUEST_END - len;
}

size_t copy_from_user_partial(void *dst, uaddr_t src, size_t n)
{
    struct context *ctx = guest();
    if (n == 0 || !ctx || src >= GUEST_END)
        return 0;
    size_t reachable = MIN(n, GUEST_END - src);
    ssize_t done = platform_copy_in(ctx, dst, src, reachable);
    return done < 0 ? 0 : (size_t)done;
}

int copy_from_user(void *dst, uaddr_t src, size_t n)
{
    if (n == 0)
        return 0;
    return access_ok(src, n) && copy_from_user_partial(dst, src, n) == n ? 0 : -EFAULT;
}

size_t copy_to_user_partial(uaddr_t dst, const void *src, size_t n)
{
    struct context *ctx = guest();
    if (n == 0 || !ctx || dst >= GUEST_END)
        return 0;
    size_t reachable = MIN(n, GUEST_END - dst);
    ssize_t done = platform_copy_out_sync(ctx, dst, src, reachable);
    return done < 0 ? 0 : (size_t)done;
}

int copy_to_user(uaddr_t dst, const void *src, size_t n)
{
    struct context *ctx = guest();
    if (n == 0)
        return 0;
    if (!ctx || !access_ok(dst, n))
        return -EFAULT;
    return platform_copy_out(ctx, dst, src, n) == (ssize_t)n ? 0 : -EFAULT;
}

int clear_user(uaddr_t dst, size_t n)
{
    if (!access_ok(dst, n))
        return -EFAULT;
    while (n > 0) {
        size_t step = MIN(n, sizeof(zeroes));
        if (copy_to_user(dst, zeroes, step) < 0)
            return -EFAULT;
        dst += step;
        n -= step;
    }
    return 0;
}

ssize_t copy_string_from_user(char *dst, uaddr_t src, size_t max)
{
    struct context *ctx = guest();
    if (!ctx || src >= GUEST_END)
        return -EFAULT;
    if (max == 0)
        return -ENAMETOOLONG;
    ssize_t len = platform_copy_string(ctx, dst, src, MIN(max, GUEST_END - src));
    return len == -ESRCH ? -EFAULT : len;
}

/* Longer than SHORT_STRING: a buffer that doubles up to max. The string may change between the
 * readings; only the last one counts. */
static int strndup_long(uaddr_t src, size_t max, char **ret)
{
    for (size_t size = MIN(max, (size_t)PATH_MAX);; size = MIN(max, size * 4)) {
        char *s = malloc(size);
        if (!s)
            return -ENOMEM;
        ssize_t len = copy_string_from_user(s, src, size);
        if (len >= 0) {
            *ret = s;
            return 0;
        }
        free(s);
        if (len != -ENAMETOOLONG || size == max)
            return (int)len;
    }
}

int strndup_user(uaddr_t src, size_t max, char **ret)
{
    char buf[SHORT_STRING];
    ssize_t len = copy_string_from_user(buf, src, MIN(max, sizeof(buf)));
    if (len == -ENAMETOOLONG && max > sizeof(buf))
        return strndup_long(src, max, ret);
    if (len < 0)
        return (int)len;
    char *s = malloc((size_t)len + 1);
    if (!s)
        return -ENOMEM;
    memcpy(s, buf, (size_t)len);
    s[len] = 0;
    *ret = s;
    return 0;
}

int user_path(uaddr_t src, char **ret)
{
    return strndup_user(src, PATH_MAX, ret);
}

void user_path_free(char **path)
{
    free(*path);
}

/* Is all of [src, src+n) zero? -E2BIG if not. */
static int check_zeroed_user(uaddr_t src, size_t n)
{
    char buf[256];
    while (n > 0) {
        size_t step = MIN(n, sizeof(buf));
        int err = copy_from_user(buf, src, step);
        if (err < 0)
            return err;
        if (memcmp(buf, zeroes, step) != 0)
            return -E2BIG;
        src += step;
        n -= step;
    }
    return 0;
}

int copy_struct_from_user(void *dst, size_t ksize, uaddr_t src, size_t usize, size_t min_size)
{
    if (usize < min_size)
        return -EINVAL;
    if (usize > PAGE_SIZE)
        return -E2BIG;
    if (usize > ksize) {
        int err = check_zeroed_user(src + ksize, usize - ksize);
        if (err < 0)
            return err;
    }
    memset(dst, 0, ksize);
    return copy_from_user(dst, src, MIN(usize, ksize));
}

ssize_t user_read_file(uaddr_t dst, size_t n, uint64_t file, int fd, int64_t pos, bool sure)
{
    struct context *ctx = guest();
    return ctx ? platform_read_file(ctx, dst, n, file, fd, pos, sure) : -EAGAIN;
}

void *user_window(size_t want, size_t *ret_len)
{
    struct context *ctx = guest();
    return ctx ? window_reserve(ctx, want, ret_len) : NULL;
}

int user_window_out(uaddr_t dst, void *window, size_t n)
{
    struct context *ctx = guest();
    if (!ctx || !access_ok(dst, n))
        return -EFAULT;
    if (n > 0)
        order_defer_window_out(ctx, dst, window, n);
    return 0;
}
