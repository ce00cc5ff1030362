/* The state directory. See state.h for its layout and rules. */
#include "runtime/state.h"
#include "base/cleanup.h"
#include "runtime/logfile.h"
#include "runtime/spec.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STATE_FILE "state.json"
#define MAX_STATE_FILE (8 << 20)

static char root_path[PATH_MAX];

static const char *const status_names[] = {[STATE_CREATING] = "creating",
                                           [STATE_CREATED] = "created",
                                           [STATE_RUNNING] = "running",
                                           [STATE_PAUSED] = "paused",
                                           [STATE_STOPPED] = "stopped"};

/* ---- the root directory ---- */

int state_set_root(const char *root, struct error *err)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int len;
    if (root && *root && root[0] != '/') {
        char cwd[PATH_MAX];
        len = getcwd(cwd, sizeof cwd) ? snprintf(root_path, sizeof root_path, "%s/%s", cwd, root)
                                      : PATH_MAX;
    } else if (root && *root) {
        len = snprintf(root_path, sizeof root_path, "%s", root);
    } else if (geteuid() == 0) {
        len = snprintf(root_path, sizeof root_path, "/run/picket");
    } else if (runtime && runtime[0] == '/') {
        len = snprintf(root_path, sizeof root_path, "%s/picket", runtime);
    } else {
        len = snprintf(root_path, sizeof root_path, "/tmp/picket-%u", geteuid());
    }
    return (size_t)len < sizeof root_path ? 0 : error_set(err, EXIT_FAILURE, "--root is too long");
}

const char *state_root(void)
{
    return root_path;
}

static int make_directories(const char *path)
{
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0711) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_root(struct error *err)
{
    int e = make_directories(root_path);
    int fd = e ? e : open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    return error_set(err, EXIT_FAILURE, "cannot use the state directory '%s': %s", root_path,
                     strerror(e ? -e : errno));
}

int state_check_id(const char *id, struct error *err)
{
    size_t len = strlen(id);
    if (len == 0 || len > 200 || id[0] == '.' ||
        id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.")])
        return error_set(err, EXIT_FAILURE,
                         "invalid container id '%.250s': letters, digits and _ + - . only", id);
    return 0;
}

/* ---- processes ---- */

/* Field 22 of /proc/PID/stat, and the state letter; -1 if there is no such process. */
static int process_start(pid_t pid, uint64_t *ret_start, char *ret_state)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    char *end = strrchr(text, ')'); /* the name may contain anything */
    unsigned long long start;
    if (!end ||
        sscanf(end + 1,
               " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               ret_state, &start) != 2)
        return -1;
    *ret_start = start;
    return 0;
}

static bool agent_lives(const struct state *s)
{
    uint64_t start;
    char letter;
    return s->pid > 0 && process_start(s->pid, &start, &letter) == 0 && start == s->pid_start &&
           letter != 'Z' && letter != 'X';
}

int state_set_pid(struct state *s, pid_t pid, struct error *err)
{
    char letter;
    if (process_start(pid, &s->pid_start, &letter) < 0)
        return error_set(err, EXIT_FAILURE, "the container's process is gone");
    s->pid = pid;
    return 0;
}

int state_agent_fd(const struct state *s)
{
    if (s->pid <= 0)
        return -ESRCH;
    int fd = (int)syscall(SYS_pidfd_open, s->pid, 0);
    /* Held by the descriptor, the number can no longer change its meaning: now look whose it is. */
    if (fd >= 0 && !agent_lives(s)) {
        close(fd);
        return -ESRCH;
    }
    return fd < 0 ? -errno : fd;
}

int state_signal_agent(const struct state *s, int signo)
{
    CLEANUP_FD int fd = state_agent_fd(s);
    if (fd < 0)
        return fd;
    return syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0) < 0 ? -errno : 0;
}

enum state_status state_status(const struct state *s)
{
    if (s->status == STATE_CREATING && s->pid == 0)
        return STATE_CREATING;
    return agent_lives(s) ? s->status : STATE_STOPPED;
}

const char *state_status_name(enum state_status status)
{
    return status_names[status];
}

/* ---- reading and writing ---- */

static char *copy_string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return strdup(s ? s : "");
}

static int decode(json_t *o, struct state *s)
{
    const char *status = json_string_value(json_object_get(o, "status"));
    size_t which = 0;
    while (which < ARRAY_SIZE(status_names) &&
           !(status && strcmp(status, status_names[which]) == 0))
        which++;
    if (which == ARRAY_SIZE(status_names))
        return -EINVAL;
    s->status = (enum state_status)which;
    s->pid = (pid_t)json_integer_value(json_object_get(o, "pid"));
    s->pid_start = (uint64_t)json_integer_value(json_object_get(o, "pidStart"));
    s->bundle = copy_string(o, "bundle");
    s->rootfs = copy_string(o, "rootfs");
    s->created = copy_string(o, "created");
    s->sandbox = copy_string(o, "sandbox");
    s->cgroup = copy_string(o, "cgroup");
    s->systemd_cgroup = json_is_true(json_object_get(o, "systemdCgroup"));
    s->terminal = json_is_true(json_object_get(o, "terminal"));
    s->annotations = json_incref(json_object_get(o, "annotations"));
    return s->bundle && s->rootfs && s->created && s->sandbox && s->cgroup ? 0 : -ENOMEM;
}

static json_t *read_json(int dir)
{
    CLEANUP_FD int fd = openat(dir, STATE_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > MAX_STATE_FILE)
        return NULL;
    return json_loadfd(fd, 0, NULL);
}

int state_put_file(const struct state *s, const char *name, const char *text, struct error *err)
{
    char draft[64];
    snprintf(draft, sizeof draft, ".%.40s.new", name);
    CLEANUP_FD int fd =
        openat(s->dir, draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t len = strlen(text);
    while (fd >= 0 && len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    if (fd >= 0 && len == 0 && renameat(s->dir, draft, s->dir, name) == 0)
        return 0;
    return error_set(err, EXIT_FAILURE, "cannot write '%s/%s/%s': %s", root_path, s->id, name,
                     strerror(errno));
}

json_t *state_json(const struct state *s, enum state_status status)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "ociVersion", SPEC_VERSION, "id", s->id,
                          "status", status_names[status], "bundle", s->bundle ? s->bundle : "",
                          "created", s->created ? s->created : "");
    /* Without a process there is no pid to tell; who reads a pid of 0 would take it for a group. */
    if (status != STATE_STOPPED || s->pid)
        json_object_set_new(o, "pid", json_integer(status == STATE_STOPPED ? 0 : s->pid));
    json_object_set_new(o, "rootfs", json_string(s->rootfs ? s->rootfs : ""));
    json_object_set_new(o, "owner", json_string(geteuid() == 0 ? "root" : ""));
    if (s->annotations && json_object_size(s->annotations))
        json_object_set(o, "annotations", s->annotations);
    return o;
}

int state_write(const struct state *s, struct error *err)
{
    json_t *o = state_json(s, s->status);
    json_object_set_new(o, "pid", json_integer(s->pid));
    json_object_set_new(o, "pidStart", json_integer((json_int_t)s->pid_start));
    json_object_set_new(o, "sandbox", json_string(s->sandbox ? s->sandbox : s->id));
    json_object_set_new(o, "cgroup", json_string(s->cgroup ? s->cgroup : ""));
    json_object_set_new(o, "systemdCgroup", json_boolean(s->systemd_cgroup));
    json_object_set_new(o, "terminal", json_boolean(s->terminal));
    CLEANUP_FREE char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text ? state_put_file(s, STATE_FILE, text, err)
                : error_set(err, EXIT_FAILURE, "out of memory");
}

/* ---- opening and closing ---- */

/* Opens ROOT/ID, with the lock if asked. A directory that was removed while we waited for its lock
 * counts as absent. */
static int open_directory(int root, const char *id, bool lock)
{
    for (;;) {
        struct stat ours, there;
        CLEANUP_FD int dir = openat(root, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (dir < 0)
            return -errno;
        if (!lock)
            return TAKE_FD(dir);
        while (flock(dir, LOCK_EX) < 0)
            if (errno != EINTR)
                return -errno;
        if (fstat(dir, &ours) == 0 && fstatat(root, id, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
            ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
            return TAKE_FD(dir);
    }
}

static char *now_text(void)
{
    struct timespec now;
    struct tm tm;
    char text[48], *copy;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    return asprintf(&copy, "%s.%09ldZ", text, now.tv_nsec) < 0 ? NULL : copy;
}

int state_create(const char *id, struct state *ret, struct error *err)
{
    if (state_check_id(id, err) < 0)
        return -1;
    CLEANUP_FD int root = open_root(err);
    if (root < 0)
        return -1;
    if (mkdirat(root, id, 0700) < 0) {
        if (errno == EEXIST)
            return error_set(err, EXIT_FAILURE, "container with id '%s' already exists", id);
        return error_set(err, EXIT_FAILURE, "cannot make '%s/%s': %s", root_path, id,
                         strerror(errno));
    }
    int dir = open_directory(root, id, true);
    if (dir < 0)
        return error_set(err, EXIT_FAILURE, "cannot lock '%s/%s': %s", root_path, id,
                         strerror(-dir));
    *ret = (struct state){.dir = dir,
                          .locked = true,
                          .id = strdup(id),
                          .status = STATE_CREATING,
                          .created = now_text(),
                          .sandbox = strdup(id)};
    return 0;
}

int state_open(const char *id, enum state_access access, struct state *ret, struct error *err)
{
    if (state_check_id(id, err) < 0)
        return -1;
    CLEANUP_FD int root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int dir = root < 0 ? -errno : open_directory(root, id, access == STATE_LOCK);
    if (dir == -ENOENT)
        return error_set(err, EXIT_FAILURE, "container '%s' does not exist", id);
    if (dir < 0)
        return error_set(err, EXIT_FAILURE, "cannot open '%s/%s': %s", root_path, id,
                         strerror(-dir));
    json_t *o = read_json(dir);
    struct state s = {.id = strdup(id), .locked = access == STATE_LOCK};
    int e = o ? decode(o, &s) : -EINVAL;
    json_decref(o);
    s.dir = TAKE_FD(dir);
    if (e) {
        state_close(&s);
        return error_set(err, EXIT_FAILURE,
                         "container '%s' is not whole: its creation was interrupted", id);
    }
    *ret = s;
    return 0;
}

bool state_is_absent(const char *id)
{
    char path[PATH_MAX + 256];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", root_path, id);
    return lstat(path, &st) < 0 && errno == ENOENT;
}

void state_close(struct state *s)
{
    free(s->id);
    free(s->bundle);
    free(s->rootfs);
    free(s->created);
    free(s->sandbox);
    free(s->cgroup);
    json_decref(s->annotations);
    if (s->dir >= 0)
        close(s->dir);
    *s = (struct state){.dir = -1};
}

static void empty_directory(int dir)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *e;
    if (!d)
        return;
    while ((e = readdir(d)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dir, e->d_name, 0);
    closedir(d);
}

void state_remove(struct state *s)
{
    char path[PATH_MAX + 256];
    /* state.json goes first: what is left by a crash here is a directory without one. */
    unlinkat(s->dir, STATE_FILE, 0);
    empty_directory(s->dir);
    snprintf(path, sizeof path, "%s/%s", root_path, s->id);
    if (rmdir(path) < 0)
        logfile_warning("cannot remove '%s': %s", path, strerror(errno));
}

void state_remove_broken(const char *id)
{
    char path[PATH_MAX + 256];
    CLEANUP_FD int root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int dir = root < 0 ? -1 : open_directory(root, id, true);
    if (dir < 0)
        return;
    empty_directory(dir);
    snprintf(path, sizeof path, "%s/%s", root_path, id);
    rmdir(path);
}

void state_path(const struct state *s, const char *name, char path[static 64])
{
    snprintf(path, 64, "/proc/self/fd/%d/%s", s->dir, name);
}

/* ---- all of them ---- */

void state_free_ids(char **ids)
{
    for (char **id = ids; id && *id; id++)
        free(*id);
    free(ids);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int state_list(char ***ret, struct error *err)
{
    DIR *d = opendir(root_path);
    size_t count = 0, room = 16;
    char **ids = calloc(room + 1, sizeof *ids);
    struct dirent *e;
    while (d && ids && (e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        if (count == room) {
            room *= 2;
            char **more = realloc(ids, (room + 1) * sizeof *ids);
            if (!more)
                break;
            ids = more;
        }
        ids[count++] = strdup(e->d_name);
        ids[count] = NULL;
    }
    if (d)
        closedir(d);
    if (!ids)
        return error_set(err, EXIT_FAILURE, "out of memory");
    qsort(ids, count, sizeof *ids, compare_ids);
    *ret = ids;
    return 0;
}
