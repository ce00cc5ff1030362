/*
 * What a container sees of the host's files: the trees that go to the sandbox's kernel, and the
 * same mounts in the agent's own mount namespace, where engines look for them (/proc/PID/root).
 *
 *     trees_prepare(spec, rootfs, &trees, &err)   in the agent's fresh mount namespace: mount
 * points made, trees cloned
 *     ... CreateContainer with trees.root, trees.mounts and trees.fds ...
 *     trees_pivot(&trees, &err)                   the agent's root becomes the container's
 *     trees_close(&trees)
 *
 * Only the root and bind mounts are of the host; proc, tmpfs and the like exist in the sandbox's
 * kernel alone. Every path in the root is walked with RESOLVE_IN_ROOT: a container's symbolic link
 * leads nowhere outside it.
 */
#pragma once
#include "base/base.h"
#include "control/protocol.h"
#include "runtime/error.h"
#include "runtime/spec.h"

struct trees {
    int fds[PROTOCOL_MAX_FDS]; /* to be sent beside CreateContainer */
    unsigned count;
    json_t *root, *mounts; /* its parameters of these names */
    int root_dir;          /* the root, mounted in the agent's namespace */
    const char *shelf;   /* a directory for a mount of our own: single files are mounted there, see
                            add_file() */
    unsigned shelf_used; /* files on it */
    int shelf_index;     /* of its tree in fds; -1: nothing mounted yet */
};

/* `shelf`: a directory that nobody needs to see in this mount namespace. */
NODISCARD int trees_prepare(const struct spec *spec, const char *rootfs, const char *shelf, struct trees *ret,
                            struct error *err);
NODISCARD int trees_pivot(struct trees *t, struct error *err);
void trees_close(struct trees *t);
