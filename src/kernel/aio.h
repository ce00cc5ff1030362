/*
 * Linux's asynchronous I/O: io_setup(2), io_submit(2), io_getevents(2).
 *
 * A context belongs to an address space and dies with it (exec, exit). Its id is the address of a page in that space,
 * as libaio expects. Reading, writing and syncing are done before io_submit returns, as Linux does them for files that
 * are not opened O_DIRECT; polling goes on in a fiber of its own. Finished requests wait as events in the context.
 */
#pragma once
#include "base/base.h"

struct mm;
struct file;
struct aio_context;

int64_t aio_setup(unsigned events, uaddr_t *ret_id);
int64_t aio_destroy(uaddr_t id);
void aio_exit(struct mm *mm); /* every context of a space nobody uses any more */

/* A reference; -EINVAL: no such context in the caller's space. */
NODISCARD int aio_find(uaddr_t id, struct aio_context **ret);
void aio_put(struct aio_context *c);

/* io_submit: one struct iocb of the guest's at `from`. `signal`: tells the file (an eventfd) of one more event. */
NODISCARD int aio_submit_one(struct aio_context *c, uaddr_t from, int (*eventfd)(int fd, struct file **ret));
int64_t aio_cancel(struct aio_context *c, uaddr_t from);
/* Up to nr events to the guest, waiting until there are at least min or the deadline. */
int64_t aio_get_events(struct aio_context *c, int64_t min, int64_t nr, uaddr_t to, int64_t deadline);
uint64_t aio_in_use(void); /* /proc/sys/fs/aio-nr */
#define AIO_MAX_NR 65536
