/*
 * The only door to guest memory. All functions act on the current task's address space, may block
 * (they are hand-offs to the stub), and so are never called under a spinlock.
 *
 * Copy once, then check, then use: what was read can have changed in the guest by the time it is
 * looked at, and is never read a second time. copy_to_user() may be deferred to the resume of the
 * guest; a bad address then turns the call's result into -EFAULT there. Where a partial count
 * matters (streams), use the uio layer (vfs/uio.h), which copies at once.
 */
#pragma once
#include "base/base.h"

NODISCARD int copy_from_user(void *dst, uaddr_t src, size_t n); /* 0 or -EFAULT */
NODISCARD int copy_to_user(uaddr_t dst, const void *src, size_t n);
/* The bytes that did get across before a fault (n: all). Not deferred. */
NODISCARD size_t copy_from_user_partial(void *dst, uaddr_t src, size_t n);
NODISCARD size_t copy_to_user_partial(uaddr_t dst, const void *src, size_t n);
NODISCARD int clear_user(uaddr_t dst, size_t n);

/* A string of at most max bytes including its NUL: length, -EFAULT, or -ENAMETOOLONG. */
NODISCARD ssize_t copy_string_from_user(char *dst, uaddr_t src, size_t max);
/* The same into fresh memory the caller frees (max bounds the allocation). */
NODISCARD int strndup_user(uaddr_t src, size_t max, char **ret);
/* A path: at most PATH_MAX; -ENAMETOOLONG beyond. An empty path is returned as "". */
#define CLEANUP_PATH __attribute__((cleanup(user_path_free)))
NODISCARD int user_path(uaddr_t src, char **ret);
void user_path_free(char **path);

#define get_user(x, addr) copy_from_user((x), (addr), sizeof(*(x)))
#define put_user(x, addr)                                      \
    ({                                                         \
        __typeof__(*(x)) put_value_ = *(x);                    \
        copy_to_user((addr), &put_value_, sizeof(put_value_)); \
    })

/* Structs that grow by size (clone3, openat2, sched_attr): copies min(usize, ksize), zeroes the
 * rest, -E2BIG when bytes beyond what we know are not zero, -EINVAL below `min_size`. */
NODISCARD int copy_struct_from_user(void *dst, size_t ksize, uaddr_t src, size_t usize,
                                    size_t min_size);

/* Is [addr, addr+len) inside the guest's range? Cheap sanity; faults are found by copying. */
bool access_ok(uaddr_t addr, size_t len);

/* platform_read_file() into the caller's memory; -EAGAIN without a guest, too. */
NODISCARD ssize_t user_read_file(uaddr_t dst, size_t n, uint64_t file, int fd, int64_t pos, bool sure);

/*
 * Bytes on their way to the guest without a second copy in the kernel. user_window() gives up to
 * `want` bytes of the context's window (*ret_len, at least a page or `want`), write-only for the
 * kernel; NULL without a guest. user_window_out() queues "window -> dst" for the resume, at most
 * once for each byte of the window.
 */
void *user_window(size_t want, size_t *ret_len);
NODISCARD int user_window_out(uaddr_t dst, void *window,
                              size_t n); /* -EFAULT: dst is no guest address */
