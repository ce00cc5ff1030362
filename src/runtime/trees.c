/* The container's root and bind mounts, cloned for the kernel and mounted for the agent. */
#include "runtime/trees.h"
#include "base/cleanup.h"
#include "host/mounts.h"
#include "runtime/logfile.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- inside the root ---- */

static int open_in_root(int root, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd < 0 ? -errno : fd;
}

static int make_file(int dir, const char *name)
{
    int fd = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0 && errno != EEXIST)
        return -errno;
    if (fd >= 0)
        close(fd);
    return 0;
}

/* `path` in the root as a descriptor; what is missing of it is made, the last part a directory or
 * an empty file. */
static int ensure_in_root(int root, const char *path, bool directory)
{
    char part[PATH_MAX];
    CLEANUP_FD int at = open_in_root(root, path);
    if (at != -ENOENT)
        return TAKE_FD(at);
    if (strlen(path) >= sizeof part)
        return -ENAMETOOLONG;
    at = open_in_root(root, "/");
    for (const char *p = path; at >= 0;) {
        p += strspn(p, "/");
        if (!*p)
            break;
        const char *end = p + strcspn(p, "/");
        bool last = end[strspn(end, "/")] == '\0';
        snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
        int next = open_in_root(root, part);
        if (next == -ENOENT) {
            char name[NAME_MAX + 1];
            snprintf(name, sizeof name, "%.*s", (int)MIN(end - p, NAME_MAX), p);
            int e = !last || directory
                        ? (mkdirat(at, name, 0755) < 0 && errno != EEXIST ? -errno : 0)
                        : make_file(at, name);
            next = e ? e : open_in_root(root, part);
        }
        close(at);
        at = next;
        p = end;
    }
    return TAKE_FD(at);
}

/* ---- trees ---- */

static int move_tree(int tree, int target)
{
    return syscall(SYS_move_mount, tree, "", target, "",
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
               ? -errno
               : 0;
}

static int mount_attributes(unsigned long flags)
{
    return (flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0) |
           (flags & MS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0);
}

/* A detached copy of the tree at `path`; `recursive`: what is mounted below it comes along. */
static int clone_tree(const char *path, const struct spec_mount *m)
{
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (m->bind_recursive ? AT_RECURSIVE : 0);
    CLEANUP_FD int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, flags);
    if (fd < 0)
        return -errno;
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                          (unsigned)mount_attributes(m->flags),
                              .propagation = MS_PRIVATE};
    if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
        return -errno;
    struct mount_attr deep = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                          (unsigned)mount_attributes(m->recursive),
                              .propagation = MS_PRIVATE};
    if (m->bind_recursive &&
        syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &deep, sizeof deep) < 0)
        return -errno;
    return TAKE_FD(fd);
}

static json_t *options_json(const struct spec_mount *m)
{
    json_t *list = json_array();
    for (char **o = m->options; o && *o; o++)
        json_array_append_new(list, json_string(*o));
    return list;
}

/* Does `m` lie on a file system that only the sandbox has? Then so does its place. */
static bool is_inside_only(const struct spec *spec, const struct spec_mount *m)
{
    for (const struct spec_mount *up = spec->mounts; up < m; up++) {
        size_t len = strlen(up->destination);
        if (!up->bind && strncmp(m->destination, up->destination, len) == 0 &&
            m->destination[len] == '/')
            return true;
    }
    return false;
}

/* ---- single files ---- */

/*
 * The kernel takes directories. A file that is mounted comes on the shelf: a file system in memory
 * where a mount of it lies on an empty file of the same purpose, so that the sandbox gets that file
 * and not its neighbours.
 */
static int open_shelf(struct trees *t)
{
    if (t->shelf_index >= 0)
        return 0;
    if (t->count == PROTOCOL_MAX_FDS)
        return -EMFILE;
    if (mount("picket", t->shelf, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755") < 0)
        return -errno;
    t->shelf_index = (int)t->count;
    t->fds[t->count++] = -1; /* once all is on it */
    return 0;
}

static int add_file(struct trees *t, const struct spec_mount *m, json_t *params)
{
    char path[PATH_MAX], name[16];
    CLEANUP_FD int tree = clone_tree(m->source, m);
    int e = tree < 0 ? tree : open_shelf(t);
    if (e)
        return e;
    snprintf(name, sizeof name, "%u", t->shelf_used++);
    if (snprintf(path, sizeof path, "%s/%s", t->shelf, name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    CLEANUP_FD int place = open(path, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0600);
    e = place < 0 ? -errno : move_tree(tree, place);
    if (e == 0)
        json_object_set_new(params, "source",
                            json_pack("{s:i, s:s}", "fd", t->shelf_index, "path", name));
    return e;
}

static int close_shelf(struct trees *t, struct error *err)
{
    if (t->shelf_index < 0)
        return 0;
    int tree = host_clone_tree(t->shelf, false);
    if (tree < 0)
        return error_set(err, EXIT_FAILURE, "cannot clone the mounted files: %s", strerror(-tree));
    t->fds[t->shelf_index] = tree;
    return 0;
}

/* ---- mounts ---- */

static int add_directory(struct trees *t, const struct spec_mount *m, json_t *params)
{
    int tree = clone_tree(m->source, m);
    if (tree < 0)
        return tree;
    if (t->count == PROTOCOL_MAX_FDS) {
        close(tree);
        return -EMFILE;
    }
    json_object_set_new(params, "source", json_pack("{s:i, s:s}", "fd", t->count, "path", ""));
    t->fds[t->count++] = tree;
    return 0;
}

/* The host's side of a bind mount: one copy for the kernel, one over its place in the agent's root.
 */
static int add_bind(struct trees *t, const struct spec *spec, const struct spec_mount *m,
                    json_t *params, struct error *err)
{
    struct stat st;
    int e = stat(m->source, &st) < 0 ? -errno : 0;
    bool directory = e == 0 && S_ISDIR(st.st_mode);
    if (e == 0)
        e = directory ? add_directory(t, m, params) : add_file(t, m, params);
    if (e)
        return error_set(err, EXIT_FAILURE, "cannot mount '%s' at '%s': %s", m->source,
                         m->destination, strerror(-e));
    CLEANUP_FD int place =
        is_inside_only(spec, m) ? -ENOENT : ensure_in_root(t->root_dir, m->destination, directory);
    CLEANUP_FD int own = clone_tree(m->source, m);
    e = place < 0 ? place : own < 0 ? own : move_tree(own, place);
    if (e)
        logfile_debug("'%s' is not visible to the host in the container's root: %s", m->destination,
                      strerror(-e));
    return 0;
}

/* A container sees version 2 of the control groups, whichever the host has. */
static const char *inside_type(const struct spec_mount *m)
{
    return strcmp(m->type, "cgroup") == 0 ? "cgroup2" : m->type;
}

static int add_mount(struct trees *t, const struct spec *spec, const struct spec_mount *m,
                     struct error *err)
{
    json_t *params = json_pack("{s:s, s:s, s:o}", "destination", m->destination, "type",
                               m->bind ? "bind" : inside_type(m), "options", options_json(m));
    if (!params)
        return error_set(err, EXIT_FAILURE, "out of memory");
    json_array_append_new(t->mounts, params);
    if (m->bind)
        return add_bind(t, spec, m, params, err);
    if (!is_inside_only(spec, m)) {
        UNUSED CLEANUP_FD int place = ensure_in_root(t->root_dir, m->destination, true);
    }
    return 0;
}

/* Whoever promises that nobody changes the root from outside meanwhile (`cp` into it, say) gets all
 * of it cached. */
static bool is_exclusive(const struct spec *spec)
{
    const char *value = spec_annotation(spec, "dev.picket.root.exclusive");
    return value && strcmp(value, "true") == 0;
}

static int mount_root(const struct spec *spec, const char *rootfs, struct trees *t,
                      struct error *err)
{
    unsigned long propagation =
        spec->rootfs_propagation ? spec->rootfs_propagation : MS_SLAVE | MS_REC;
    if (mount(NULL, "/", NULL, propagation, NULL) < 0 &&
        mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
        return error_set(err, EXIT_FAILURE, "cannot make mounts private: %s", strerror(errno));
    if (mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) < 0 ||
        mount(NULL, rootfs, NULL, MS_PRIVATE, NULL) < 0)
        return error_set(err, EXIT_FAILURE, "cannot mount the root '%s': %s", rootfs,
                         strerror(errno));
    t->root_dir = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (t->root_dir < 0)
        return error_set(err, EXIT_FAILURE, "cannot open the root '%s': %s", rootfs,
                         strerror(errno));
    int tree = host_clone_tree(rootfs, false);
    if (tree < 0)
        return error_set(err, EXIT_FAILURE, "cannot clone the root '%s': %s", rootfs,
                         strerror(-tree));
    t->fds[t->count++] = tree;
    t->root = json_pack("{s:i, s:s, s:b, s:b}", "fd", 0, "overlay", "none", "read_only",
                        spec->root_readonly, "exclusive", is_exclusive(spec));
    t->mounts = json_array();
    return t->root && t->mounts ? 0 : error_set(err, EXIT_FAILURE, "out of memory");
}

int trees_prepare(const struct spec *spec, const char *rootfs, const char *shelf, struct trees *ret,
                  struct error *err)
{
    struct trees t = {.root_dir = -1, .shelf = shelf, .shelf_index = -1};
    int result = mount_root(spec, rootfs, &t, err);
    for (size_t i = 0; i < spec->mount_count && result == 0; i++)
        result = add_mount(&t, spec, &spec->mounts[i], err);
    if (result == 0)
        result = close_shelf(&t, err);
    if (result == 0 && spec->process.given) {
        /* As runc does; whoever asks for a missing directory to start in gets it. */
        UNUSED CLEANUP_FD int cwd = ensure_in_root(t.root_dir, spec->process.cwd, true);
    }
    if (result < 0) {
        trees_close(&t);
        return -1;
    }
    *ret = t;
    return 0;
}

int trees_pivot(struct trees *t, struct error *err)
{
    int e = fchdir(t->root_dir) < 0 ? errno : 0;
    if (!e && syscall(SYS_pivot_root, ".", ".") < 0)
        e = errno;
    /* A mount namespace of another user namespace stays as it is; what looks at our root sees the
     * same. */
    if (e == EPERM && chroot(".") == 0 && chdir("/") == 0)
        return 0;
    if (e || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return error_set(err, EXIT_FAILURE, "cannot enter the container's root: %s",
                         strerror(e ? e : errno));
    return 0;
}

void trees_close(struct trees *t)
{
    for (unsigned i = 0; i < t->count; i++)
        if (t->fds[i] >= 0)
            close(t->fds[i]);
    if (t->root_dir >= 0)
        close(t->root_dir);
    json_decref(t->root);
    json_decref(t->mounts);
    *t = (struct trees){.root_dir = -1};
}
