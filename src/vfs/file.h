/*
 * Open files (open file descriptions): what a descriptor refers to, shared by dup and fork.
 *
 * References: each slot of an fd table, each mapping, each in-flight SCM_RIGHTS message, and
 * whoever called fdtable_get_file(). When the last goes, ops->release() runs in a context that may
 * block. `pos` is protected by pos_lock for files that have a position (regular files,
 * directories); read and write on such files hold it (POSIX atomicity), pread and pwrite do not.
 */
#pragma once
#include "base/base.h"
#include "base/cleanup.h"
#include "base/refcount.h"
#include "base/strbuf.h"
#include "sched/mutex.h"
#include "vfs/inode.h"
#include "vfs/mount.h"
#include "vfs/poll.h"
#include "vfs/uio.h"
#include <fcntl.h>

struct file;
struct file_owner;
struct mmap_request;

/* What readdir calls for each entry; false stops (buffer full): the entry will be offered again.
 * `next` is the position after this entry: getdents64's d_off. */
struct dir_emitter {
    bool (*emit)(struct dir_emitter *e, const char *name, size_t len, uint64_t ino,
                 unsigned char type, int64_t next);
};

/*
 * NULL slots: read/write -EINVAL, lseek -ESPIPE, readdir -ENOTDIR, ioctl -ENOTTY, poll always
 * EPOLLIN|EPOLLOUT (regular files), mmap -ENODEV, fsync -EINVAL, fallocate -EOPNOTSUPP (or -ENODEV
 * for non-regular), truncate by inode setattr. pos: in/out for files with a position; files without
 * ignore it. Blocking honours file->flags & O_NONBLOCK, and interruption (-ERESTARTSYS).
 */
struct file_ops {
    int (*open)(struct inode *inode,
                struct file *file); /* NULL: nothing to do. Failure: release is not called. */
    ssize_t (*read)(struct file *file, struct uio *to, int64_t *pos);
    ssize_t (*write)(struct file *file, struct uio *from,
                     int64_t *pos); /* handles O_APPEND and RLIMIT_FSIZE via vfs_write_limit() */
    int64_t (*lseek)(struct file *file, int64_t offset, int whence);
    int (*readdir)(struct file *file, struct dir_emitter *e,
                   int64_t *pos); /* "." and ".." included: dir_emit_dots() */
    uint32_t (*poll)(struct file *file, struct poll_table *table);
    int64_t (*ioctl)(struct file *file, unsigned cmd, uaddr_t arg);
    /* fcntl commands of the type's own: F_[GS]ETPIPE_SZ (NULL: -EBADF), F_ADD_SEALS and F_GET_SEALS
     * (NULL: -EINVAL). */
    int64_t (*fcntl)(struct file *file, unsigned cmd, uint64_t arg);
    /* The host descriptor whose mapping is this file's contents, for mmap: borrowed while the
     * mapping is made; opened with no more rights than the file. `offset` may be shifted by the
     * file. generation: changes when a patched copy of the text is stale. */
    int (*mmap)(struct file *file, struct mmap_request *req);
    int (*fsync)(struct file *file, bool data_only);
    int (*fallocate)(struct file *file, int mode, int64_t offset, int64_t len);
    int (*flush)(struct file *file);    /* on every close(2) of a descriptor */
    void (*release)(struct file *file); /* the last reference */
    /* One more area of an address space maps the file (1), or one less (-1); mm->lock may be held. NULL: no matter. */
    void (*count_area)(struct file *file, int change);
    /* /proc/PID/fdinfo lines beyond pos, flags, mnt_id, ino. */
    void (*show_fdinfo)(struct file *file, struct strbuf *out);
    bool async; /* O_ASYNC sends signals; its wait queues are never woken under tasklist_lock */
    bool lseek_is_noop; /* of a stream: lseek does nothing and gives 0, where Linux has it so */
    bool stream; /* no position: lseek gives -ESPIPE, pread -ESPIPE, pos_lock unused */
};

struct mmap_request {
    uint64_t offset, length; /* in: of the mapping in the file; offset may be changed */
    int prot, flags;         /* in */
    int fd; /* out: borrowed host descriptor, or -1 for anonymous memory (/dev/zero) */
    uint64_t key_dev, key_ino,
        generation; /* out: identity for patched text; key_ino 0 means never patch */
};

struct file {
    struct refcount ref;
    const struct file_ops *ops; /* [I] after open */
    struct path path;           /* [I] references; path.dentry may be an anonymous one */
    struct inode *inode;        /* [I] reference */
    _Atomic uint32_t
        flags; /* O_ACCMODE|O_APPEND|O_NONBLOCK|O_DIRECT|O_PATH...; fcntl F_SETFL changes some */
    bool counted_writer; /* [I] after open: one of inode->writers */
    bool counted_open;   /* [I] after open: one of inode->opens */
    bool denies_writers; /* [I] after open: executed from; one of the negative ones */
    struct mutex pos_lock;
    int64_t pos;             /* [pos_lock] */
    const struct cred *cred; /* [I] of the opener, reference */
    void *private_data;      /* [I] after open, the type's own */
    struct file_owner *_Atomic owner; /* F_SETOWN, O_ASYNC: vfs/async.h; NULL until used */
    struct mount *detached;  /* [I] once installed: a tree that ends with it: open_tree(2), or NULL */
    struct list epoll_items;        /* [epoll's lock] registrations in epoll instances */
    struct wait_queue *lease_queue; /* reserved */
};

NODISCARD int file_new(const struct path *path, const struct file_ops *ops, uint32_t flags,
                       struct file **ret);
/* A file without a name in any file system (pipe, eventfd, socket ...): name as /proc/PID/fd shows
 * it, e.g. "anon_inode:[eventfd]" or "pipe:[12]"; mode is what fstat shows. */
NODISCARD int file_new_anon(const char *name, uint32_t mode, const struct file_ops *ops,
                            void *private_data, uint32_t flags, struct file **ret);
/* A file on an inode without a path: what stacked file systems (overlay) open below. path is empty;
 * ops->open is called. */
NODISCARD int file_new_inode(struct inode *inode, uint32_t flags, const struct cred *cred,
                             struct file **ret);
struct file *file_get(struct file *f);
void file_put(struct file *f);
DEFINE_CLEANUP(struct file *, file_put)
#define CLEANUP_FILE CLEANUP_OF(file_put)

/* As file_new_anon(), on an inode of the caller's own (a host file, a memfd, a terminal): takes a
 * reference to it. Opening it again through /proc/PID/fd uses inode->file_ops. */
NODISCARD int file_new_on_inode(const char *name, struct inode *inode, const struct file_ops *ops,
                                void *private_data, uint32_t flags, struct file **ret);

/* Set by epoll: told of the end of a file with registrations in epoll sets, before its release. */
extern void (*file_epoll_release)(struct file *f);

static inline bool file_readable(const struct file *f)
{
    uint32_t acc = f->flags & O_ACCMODE;
    return !(f->flags & O_PATH) && (acc == O_RDONLY || acc == O_RDWR);
}
static inline bool file_writable(const struct file *f)
{
    uint32_t acc = f->flags & O_ACCMODE;
    return !(f->flags & O_PATH) && (acc == O_WRONLY || acc == O_RDWR);
}
static inline bool file_nonblock(const struct file *f)
{
    return f->flags & O_NONBLOCK;
}

/* The verbs behind read(2) and family (vfs/read_write.c). Check mode, clamp, call the op. */
ssize_t vfs_read(struct file *f, struct uio *to); /* at and advancing the position */
ssize_t vfs_write(struct file *f, struct uio *from);
ssize_t vfs_pread(struct file *f, struct uio *to, int64_t pos);
ssize_t vfs_pwrite(struct file *f, struct uio *from, int64_t pos);
ssize_t vfs_read_kernel(struct file *f, void *buf, size_t n,
                        int64_t pos); /* loader, /proc: full count or short at EOF */
int64_t vfs_lseek(struct file *f, int64_t offset, int whence);
int vfs_readdir(struct file *f, struct dir_emitter *e);
uint32_t vfs_poll(struct file *f, struct poll_table *table);
int64_t vfs_ioctl(struct file *f, unsigned cmd, uaddr_t arg);
int vfs_fsync(struct file *f, bool data_only);
int vfs_fallocate(struct file *f, int mode, int64_t offset, int64_t len);
int64_t vfs_copy_range(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
                       size_t len); /* copy_file_range, sendfile */
/* Clamps a write at `pos` of n bytes to RLIMIT_FSIZE (raises SIGXFSZ): the allowed count or
 * -EFBIG. */
ssize_t vfs_write_limit(struct file *f, int64_t pos, size_t n);
/* lseek for files whose end is inode->attr.size. */
int64_t generic_lseek(struct file *f, int64_t offset, int whence);
/* lseek for directories whose positions are cookies: SEEK_SET and SEEK_CUR to any position. */
int64_t dir_lseek(struct file *f, int64_t offset, int whence);
/* A read has happened: updates the access time in inode->attr as relatime does, for file systems
 * that keep it there. */
void file_accessed(struct file *f);
int dir_emit_dots(struct file *f, struct dir_emitter *e,
                  int64_t *pos); /* 1: done, go on at pos 2; 0: buffer full */
/* Content made up on each open (most of /proc): fill `out` once at first read, serve from it. */
typedef int seq_show_fn(struct strbuf *out, void *arg);
