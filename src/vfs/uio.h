/*
 * A cursor over the memory a read or write moves bytes to or from: guest memory (an iovec of guest
 * addresses) or a kernel buffer. Files see only this, so the same file operation serves read,
 * pread, readv, splice and sendfile.
 *
 *     uio_put(u, buf, n)   read side: the file gives bytes to the caller
 *     uio_take(u, buf, n)  write side: the file takes bytes from the caller
 *
 * Both return the bytes moved, or -EFAULT when none could be; a short count means that the rest of
 * the memory is bad: stop and return what was moved. They block (hand-offs), so no spinlock is
 * held; files that must not consume before the copy succeeded copy first, then advance.
 *
 * What goes to a guest is queued where it fits the context's window and travels with the resume of
 * the guest, so that a small read is one hand-off; but only if the tree of areas says that the
 * memory can be written, so that counts are exact for what is not mapped. DEVIATION: memory that
 * another thread unmaps in that moment, or that lies behind a mapped file's end, shows at the resume
 * and turns the whole call into -EFAULT, where Linux would have returned a short count. A caller to
 * whom that matters sets u->sync before the first uio_put().
 */
#pragma once
#include "base/base.h"

#define UIO_MAX_IOV 1024
#define UIO_MAX_BYTES 0x7ffff000UL /* MAX_RW_COUNT, read(2) */
#define UIO_INLINE_IOV 8

struct uio_vec {
    uint64_t base; /* a guest address, or a kernel pointer in a kernel uio */
    uint64_t len;
};

struct uio {
    struct uio_vec *vec; /* points to inline_vec or heap memory */
    unsigned count, index;
    size_t offset;    /* inside vec[index] */
    size_t remaining; /* total left */
    bool user;
    bool sync;    /* puts are not deferred: see above */
    void *direct; /* between uio_reserve() and uio_commit() */
    void *bounce; /* heap buffer between uio_reserve() and uio_commit(), or NULL */
    char small[64];
    struct uio_vec inline_vec[UIO_INLINE_IOV];
};

void uio_init_user(struct uio *u, uaddr_t buf, size_t len); /* len is clamped to UIO_MAX_BYTES */
void uio_init_kernel(struct uio *u, void *buf, size_t len);
/* From a guest's struct iovec array: -EINVAL for count or total too large or negative, -EFAULT. */
NODISCARD int uio_init_iovec(struct uio *u, uaddr_t iov, unsigned long count);
void uio_fini(struct uio *u);
#define CLEANUP_UIO __attribute__((cleanup(uio_fini)))

ssize_t uio_put(struct uio *u, const void *src, size_t n);
ssize_t uio_take(struct uio *u, void *dst, size_t n);
ssize_t uio_zero(struct uio *u, size_t n); /* puts n zero bytes */
void uio_skip(struct uio *u, size_t n);    /* advances without copying */

/*
 * Up to n bytes at pos of a regular file of the host, read by the guest itself where that pays: platform_read_file().
 * `sure`: the file has them. Bytes moved, -errno, or -EAGAIN: nothing has been done, go on in another way.
 */
#define UIO_READ_FILE_MIN 2048 /* for fewer bytes it never pays */
NODISCARD ssize_t uio_read_file(struct uio *u, size_t n, uint64_t file, int fd, int64_t pos, bool sure);

/*
 * Direct buffers, for files whose bytes come from the host (pread into it): *ret points to
 * kernel-side memory that will be (put) sent to the caller by uio_commit(). At most `want`, at
 * least one byte; write-only for the kernel: the memory may be shared with the guest. Exactly one
 * uio_commit(u, n) follows, n <= *ret_len; it returns n or less/-EFAULT like uio_put.
 */
void *uio_reserve(struct uio *u, size_t want, size_t *ret_len);
ssize_t uio_commit(struct uio *u, size_t n);
