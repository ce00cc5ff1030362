/*
 * splice(2) and tee(2): bytes between a pipe and another file, or two pipes, without passing
 * through the guest. Between pipes whole pages move.
 */
#pragma once
#include "fs/pipe/pipe.h"

/* pos NULL: the file's own position. nonblock: do not wait for the pipe. Bytes, 0 at the end,
 * -errno. */
ssize_t splice_to_pipe(struct file *in, int64_t *pos, struct pipe *out, size_t len, bool nonblock);
ssize_t splice_from_pipe(struct pipe *in, struct file *out, int64_t *pos, size_t len, bool nonblock);
/* Two different pipes. keep: the bytes stay in the first as well (tee). */
ssize_t splice_pipes(struct pipe *in, struct pipe *out, size_t len, bool keep, bool nonblock);
