/* Cgroups, versions 1 and 2. */
#include "runtime/cgroup.h"
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "runtime/logfile.h"
#include "runtime/state.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_HIERARCHIES 16
#define SYSTEMD_RUNS "/run/systemd/system"

struct hierarchy {
    char mount[256];
    char controllers[128]; /* ",cpu,cpuacct,"; version 2: "" */
    bool v2;
};

static struct hierarchy hierarchies[MAX_HIERARCHIES];
static unsigned hierarchy_count;
static bool have_v1;

/* ---- hierarchies ---- */

/* One line of /proc/self/mountinfo: "... ROOT MOUNTPOINT OPTIONS ... - TYPE SOURCE SUPEROPTIONS".
 */
static void add_hierarchy(const char *line)
{
    char mount[256], type[32], options[512];
    const char *dash = strstr(line, " - ");
    if (!dash || hierarchy_count == MAX_HIERARCHIES ||
        sscanf(line, "%*d %*d %*s %*s %255s", mount) != 1 ||
        sscanf(dash, " - %31s %*s %511s", type, options) != 2)
        return;
    bool v2 = strcmp(type, "cgroup2") == 0;
    if (!v2 && strcmp(type, "cgroup") != 0)
        return;
    /* What is mounted twice (a container's view of it, say) counts once. */
    for (unsigned i = 0; i < hierarchy_count; i++)
        if (strcmp(hierarchies[i].mount, mount) == 0)
            return;
    struct hierarchy *h = &hierarchies[hierarchy_count++];
    snprintf(h->mount, sizeof h->mount, "%s", mount);
    snprintf(h->controllers, sizeof h->controllers, ",%.120s,", v2 ? "" : options);
    h->v2 = v2;
    have_v1 |= !v2;
}

static void find_hierarchies(void)
{
    if (hierarchy_count)
        return;
    FILE *f = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t room = 0;
    while (f && getline(&line, &room, f) > 0)
        if (strstr(line, " - cgroup"))
            add_hierarchy(line);
    free(line);
    if (f)
        fclose(f);
}

static bool has_controller(const struct hierarchy *h, const char *name)
{
    char word[64];
    snprintf(word, sizeof word, ",%s,", name);
    return strstr(h->controllers, word) != NULL;
}

static const struct hierarchy *find_v1(const char *controller)
{
    find_hierarchies();
    for (unsigned i = 0; i < hierarchy_count; i++)
        if (!hierarchies[i].v2 && has_controller(&hierarchies[i], controller))
            return &hierarchies[i];
    return NULL;
}

static const struct hierarchy *find_v2(void)
{
    find_hierarchies();
    for (unsigned i = 0; i < hierarchy_count; i++)
        if (hierarchies[i].v2)
            return &hierarchies[i];
    return NULL;
}

/* ---- files ---- */

/* A path that is too long becomes "", which no call accepts. */
static void set_path(char path[static PATH_MAX], const char *fmt, ...) PRINTF(2, 3);
static void set_path(char path[static PATH_MAX], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(path, PATH_MAX, fmt, ap) >= PATH_MAX)
        path[0] = '\0';
    va_end(ap);
}

static int write_text(const char *path, const char *text)
{
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* The file without its last newline; "" if it cannot be read. */
static void read_text(const char *path, char *text, size_t size)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static void file_path(const struct hierarchy *h, const char *cgroup, const char *file,
                      char path[static PATH_MAX])
{
    set_path(path, "%s%s/%s", h->mount, cgroup, file);
}

static void set_file(const struct hierarchy *h, const char *cgroup, const char *file,
                     const char *text)
{
    char path[PATH_MAX];
    if (!h)
        return;
    file_path(h, cgroup, file, path);
    int e = write_text(path, text);
    if (e)
        logfile_warning("cannot set the limit '%s' to %s: %s", path, text, strerror(-e));
}

static void set_number(const struct hierarchy *h, const char *cgroup, const char *file,
                       int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    set_file(h, cgroup, file, text);
}

/* ---- making ---- */

/* A cpuset of version 1 starts empty, and takes no process before it has CPUs and memory nodes. */
static void copy_cpuset(const char *dir, const char *parent)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char from[PATH_MAX], to[PATH_MAX], text[256];
        set_path(from, "%s/%s", parent, files[i]);
        set_path(to, "%s/%s", dir, files[i]);
        read_text(to, text, sizeof text);
        if (text[0])
            continue;
        read_text(from, text, sizeof text);
        (void)write_text(to, text);
    }
}

/* What the children of a version 2 cgroup may use must be switched on in it. */
static void delegate(const char *dir)
{
    static const char *const wanted[] = {"+cpu", "+memory", "+cpuset", "+io", "+pids"};
    char path[PATH_MAX];
    set_path(path, "%s/cgroup.subtree_control", dir);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        (void)write_text(path, wanted[i]);
}

static int make_in(const struct hierarchy *h, const char *cgroup)
{
    char path[PATH_MAX], parent[PATH_MAX];
    bool cpuset = has_controller(h, "cpuset");
    set_path(path, "%s%s", h->mount, cgroup);
    if (!cpuset && !h->v2 && mkdir(path, 0755) == 0)
        return 0; /* mostly the parent is there */
    for (char *p = path + strlen(h->mount); p && *p;) {
        p = strchr(p + 1, '/');
        if (p)
            *p = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return -errno;
        if (cpuset) {
            set_path(parent, "%s", path);
            *strrchr(parent, '/') = '\0';
            copy_cpuset(path, parent);
        } else if (h->v2 && p && !have_v1) {
            delegate(path);
        }
        if (p)
            *p = '/';
    }
    return 0;
}

/* busctl, so that systemd's own protocol need not be spoken here. */
static int make_scope(const char *cgroup, pid_t pid)
{
    char number[16], slice[256] = "system.slice", *unit = strrchr(cgroup, '/') + 1;
    const char *end = unit - 1, *start = end;
    while (start > cgroup && start[-1] != '/')
        start--;
    if (start > cgroup)
        snprintf(slice, sizeof slice, "%.*s", (int)MIN(end - start, 255), start);
    snprintf(number, sizeof number, "%d", pid);
    char *const argv[] = {"busctl",
                          "call",
                          "--quiet",
                          "org.freedesktop.systemd1",
                          "/org/freedesktop/systemd1",
                          "org.freedesktop.systemd1.Manager",
                          "StartTransientUnit",
                          "ssa(sv)a(sa(sv))",
                          unit,
                          "fail",
                          "4",
                          "PIDs",
                          "au",
                          "1",
                          number,
                          "Slice",
                          "s",
                          slice,
                          "Delegate",
                          "b",
                          "true",
                          "DefaultDependencies",
                          "b",
                          "false",
                          "0",
                          NULL};
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    int status = 1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return child > 0 && status == 0 ? 0 : -EIO;
}

int cgroup_enter(const char *cgroup, bool systemd, pid_t pid)
{
    char path[PATH_MAX], number[16];
    unsigned joined = 0;
    find_hierarchies();
    if (systemd && access(SYSTEMD_RUNS, F_OK) == 0 && make_scope(cgroup, pid) < 0)
        logfile_warning("systemd did not make the scope '%s'; made by hand", cgroup);
    snprintf(number, sizeof number, "%d", pid);
    for (unsigned i = 0; i < hierarchy_count; i++) {
        const struct hierarchy *h = &hierarchies[i];
        int e = make_in(h, cgroup);
        file_path(h, cgroup, "cgroup.procs", path);
        if (e == 0)
            e = write_text(path, number);
        if (e == 0)
            joined++;
        else
            logfile_debug("cannot use the cgroup '%s%s': %s", h->mount, cgroup, strerror(-e));
    }
    return joined ? 0 : -1;
}

/* "a-b.slice" lies in "a.slice". */
static void expand_slice(const char *slice, struct strbuf *out)
{
    size_t len = strlen(slice);
    if (strcmp(slice, "-.slice") == 0 || len < 7)
        return;
    for (size_t i = 0; i + 6 < len; i++)
        if (slice[i] == '-')
            strbuf_printf(out, "/%.*s.slice", (int)i, slice);
    strbuf_printf(out, "/%s", slice);
}

/* Ids are unique in a state directory only, and deleting a container kills what is in its cgroup. */
static unsigned long long root_number(void)
{
    struct stat st;
    return stat(state_root(), &st) == 0 ? (unsigned long long)st.st_ino : 0;
}

char *cgroup_path(const struct spec *spec, const char *id, bool systemd)
{
    CLEANUP_STRBUF struct strbuf out = STRBUF_INIT;
    const char *given = spec->cgroups_path;
    char slice[256], prefix[256], name[256];
    if (systemd && given && sscanf(given, "%255[^:]:%255[^:]:%255[^:]", slice, prefix, name) == 3 &&
        !strchr(slice, '/') && !strchr(prefix, '/') && !strchr(name, '/')) {
        expand_slice(slice, &out);
        size_t len = strlen(name);
        if (len > 6 && strcmp(name + len - 6, ".slice") == 0)
            strbuf_printf(&out, "/%s", name);
        else
            strbuf_printf(&out, "/%s-%s.scope", prefix, name);
    } else if (given && *given && !strstr(given, "..")) {
        strbuf_printf(&out, "%s%s", given[0] == '/' ? "" : "/", given);
        while (out.len > 1 && out.s[out.len - 1] == '/')
            out.s[--out.len] = '\0';
    } else if (systemd) {
        strbuf_printf(&out, "/system.slice/picket-%llu-%s.scope", root_number(), id);
    } else {
        strbuf_printf(&out, "/picket/%llu-%s", root_number(), id);
    }
    return strbuf_take(&out);
}

/* ---- limits ---- */

#define GIVEN(value) ((value) != SPEC_UNSET)

/* Version 1 and 2 write "no limit" differently. */
static int64_t v1_limit(uint64_t value)
{
    return value >= INT64_MAX ? -1 : (int64_t)value;
}

static void set_v2_limit(const struct hierarchy *h, const char *cgroup, const char *file,
                         uint64_t value)
{
    if (value >= INT64_MAX)
        set_file(h, cgroup, file, "max");
    else
        set_number(h, cgroup, file, (int64_t)value);
}

static void limit_memory_v1(const char *cgroup, const struct spec_resources *r)
{
    const struct hierarchy *h = find_v1("memory");
    char path[PATH_MAX], text[32];
    if (!h)
        return;
    /* The limit may never be above that of memory and swap: which to set first depends on the
     * direction. */
    file_path(h, cgroup, "memory.memsw.limit_in_bytes", path);
    read_text(path, text, sizeof text);
    bool swap = text[0] && GIVEN(r->memory_swap) && r->memory_swap != 0;
    bool swap_first =
        swap && (r->memory_swap >= INT64_MAX || strtoull(text, NULL, 10) < r->memory_swap);
    if (swap_first)
        set_number(h, cgroup, "memory.memsw.limit_in_bytes", v1_limit(r->memory_swap));
    if (GIVEN(r->memory_limit) && r->memory_limit)
        set_number(h, cgroup, "memory.limit_in_bytes", v1_limit(r->memory_limit));
    if (swap && !swap_first)
        set_number(h, cgroup, "memory.memsw.limit_in_bytes", v1_limit(r->memory_swap));
    if (GIVEN(r->memory_reservation) && r->memory_reservation)
        set_number(h, cgroup, "memory.soft_limit_in_bytes", v1_limit(r->memory_reservation));
    if (GIVEN(r->memory_swappiness))
        set_number(h, cgroup, "memory.swappiness", (int64_t)r->memory_swappiness);
    if (r->memory_disable_oom)
        set_number(h, cgroup, "memory.oom_control", 1);
}

static void limit_memory_v2(const struct hierarchy *h, const char *cgroup,
                            const struct spec_resources *r)
{
    if (GIVEN(r->memory_limit) && r->memory_limit)
        set_v2_limit(h, cgroup, "memory.max", r->memory_limit);
    /* The specification's swap is the sum; version 2's is swap alone. */
    if (GIVEN(r->memory_swap) && r->memory_swap) {
        bool sum = GIVEN(r->memory_limit) && r->memory_swap < INT64_MAX &&
                   r->memory_swap >= r->memory_limit;
        set_v2_limit(h, cgroup, "memory.swap.max",
                     sum ? r->memory_swap - r->memory_limit : r->memory_swap);
    }
    if (GIVEN(r->memory_reservation) && r->memory_reservation)
        set_v2_limit(h, cgroup, "memory.low", r->memory_reservation);
}

static void limit_cpu_v1(const char *cgroup, const struct spec_resources *r)
{
    const struct hierarchy *cpu = find_v1("cpu"), *cpuset = find_v1("cpuset");
    if (GIVEN(r->cpu_shares) && r->cpu_shares)
        set_number(cpu, cgroup, "cpu.shares", (int64_t)r->cpu_shares);
    if (GIVEN(r->cpu_period) && r->cpu_period)
        set_number(cpu, cgroup, "cpu.cfs_period_us", (int64_t)r->cpu_period);
    if (GIVEN(r->cpu_quota) && r->cpu_quota)
        set_number(cpu, cgroup, "cpu.cfs_quota_us", v1_limit(r->cpu_quota));
    if (GIVEN(r->cpu_burst))
        set_number(cpu, cgroup, "cpu.cfs_burst_us", (int64_t)r->cpu_burst);
    if (r->cpus && *r->cpus)
        set_file(cpuset, cgroup, "cpuset.cpus", r->cpus);
    if (r->mems && *r->mems)
        set_file(cpuset, cgroup, "cpuset.mems", r->mems);
}

static void limit_cpu_v2(const struct hierarchy *h, const char *cgroup,
                         const struct spec_resources *r)
{
    /* The conversion of the specification: shares 2..262144 to weights 1..10000. */
    if (GIVEN(r->cpu_shares) && r->cpu_shares >= 2)
        set_number(h, cgroup, "cpu.weight",
                   (int64_t)(1 + (MIN(r->cpu_shares, 262144UL) - 2) * 9999 / 262142));
    if ((GIVEN(r->cpu_quota) && r->cpu_quota) || (GIVEN(r->cpu_period) && r->cpu_period)) {
        char text[64], quota[32] = "max";
        if (GIVEN(r->cpu_quota) && r->cpu_quota && r->cpu_quota < INT64_MAX)
            snprintf(quota, sizeof quota, "%llu", (unsigned long long)r->cpu_quota);
        snprintf(
            text, sizeof text, "%s %llu", quota,
            (unsigned long long)(GIVEN(r->cpu_period) && r->cpu_period ? r->cpu_period : 100000));
        set_file(h, cgroup, "cpu.max", text);
    }
    if (GIVEN(r->cpu_burst))
        set_number(h, cgroup, "cpu.max.burst", (int64_t)r->cpu_burst);
    if (GIVEN(r->cpu_idle))
        set_number(h, cgroup, "cpu.idle", (int64_t)r->cpu_idle);
    if (r->cpus && *r->cpus)
        set_file(h, cgroup, "cpuset.cpus", r->cpus);
    if (r->mems && *r->mems)
        set_file(h, cgroup, "cpuset.mems", r->mems);
}

static void limit_io_v1(const char *cgroup, const struct spec_resources *r)
{
    static const char *const files[IO_KINDS] = {
        "blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
        "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device"};
    const struct hierarchy *h = find_v1("blkio");
    if (GIVEN(r->io_weight) && r->io_weight)
        set_number(h, cgroup, "blkio.weight", (int64_t)r->io_weight);
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        for (size_t i = 0; i < r->throttle[kind].count; i++) {
            const struct spec_weight_device *d = &r->throttle[kind].list[i];
            char text[96];
            snprintf(text, sizeof text, "%u:%u %llu", d->major, d->minor,
                     (unsigned long long)d->value);
            set_file(h, cgroup, files[kind], text);
        }
}

static void limit_io_v2(const struct hierarchy *h, const char *cgroup,
                        const struct spec_resources *r)
{
    static const char *const keys[IO_KINDS] = {"rbps", "wbps", "riops", "wiops"};
    if (GIVEN(r->io_weight) && r->io_weight >= 10)
        set_number(h, cgroup, "io.weight",
                   (int64_t)(1 + (MIN(r->io_weight, 1000UL) - 10) * 9999 / 990));
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        for (size_t i = 0; i < r->throttle[kind].count; i++) {
            const struct spec_weight_device *d = &r->throttle[kind].list[i];
            char text[96];
            snprintf(text, sizeof text, "%u:%u %s=%llu", d->major, d->minor, keys[kind],
                     (unsigned long long)d->value);
            set_file(h, cgroup, "io.max", text);
        }
}

void cgroup_limit(const char *cgroup, const struct spec_resources *r)
{
    const struct hierarchy *v2 = find_v2();
    if (have_v1) {
        limit_memory_v1(cgroup, r);
        limit_cpu_v1(cgroup, r);
        limit_io_v1(cgroup, r);
        return;
    }
    if (!v2)
        return;
    limit_memory_v2(v2, cgroup, r);
    limit_cpu_v2(v2, cgroup, r);
    limit_io_v2(v2, cgroup, r);
    for (size_t i = 0; i < r->unified.count; i++)
        set_file(v2, cgroup, r->unified.list[i].name, r->unified.list[i].value);
}

/* ---- what is in it ---- */

size_t cgroup_pids(const char *cgroup, pid_t **ret)
{
    const struct hierarchy *h = find_v1("memory");
    char path[PATH_MAX];
    size_t count = 0, room = 0;
    pid_t *pids = NULL, pid;
    if (!h)
        h = hierarchy_count ? &hierarchies[0] : NULL;
    if (h)
        file_path(h, cgroup, "cgroup.procs", path);
    FILE *f = h ? fopen(path, "re") : NULL;
    while (f && fscanf(f, "%d", &pid) == 1) {
        if (count == room) {
            room = room ? room * 2 : 64;
            pid_t *more = realloc(pids, room * sizeof *pids);
            if (!more)
                break;
            pids = more;
        }
        pids[count++] = pid;
    }
    if (f)
        fclose(f);
    *ret = pids;
    return count;
}

static bool remove_directory(const char *path)
{
    return rmdir(path) == 0 || errno == ENOENT || errno == ENOTDIR;
}

void cgroup_remove(const char *cgroup, bool kill_all)
{
    find_hierarchies();
    if (!*cgroup || strcmp(cgroup, "/") == 0)
        return;
    /* Killed processes leave their cgroup a moment later. */
    for (unsigned tries = 0; tries < 200; tries++) {
        bool gone = true;
        pid_t *pids;
        if (kill_all) {
            for (size_t n = cgroup_pids(cgroup, &pids); n > 0; n--)
                kill(pids[n - 1], SIGKILL);
            free(pids);
        }
        for (unsigned i = 0; i < hierarchy_count; i++) {
            char path[PATH_MAX];
            set_path(path, "%s%s", hierarchies[i].mount, cgroup);
            gone &= remove_directory(path);
        }
        if (gone)
            break;
        usleep(tries < 20 ? 500 : 10000);
    }
    if (strncmp(cgroup, "/picket/", 8) == 0)
        return; /* the parent is ours and shared */
}

/* ---- statistics ---- */

static uint64_t read_number(const struct hierarchy *h, const char *cgroup, const char *file)
{
    char path[PATH_MAX], text[64];
    if (!h)
        return 0;
    file_path(h, cgroup, file, path);
    read_text(path, text, sizeof text);
    return text[0] == 'm' ? UINT64_MAX : strtoull(text, NULL, 10);
}

/* "key value" lines. */
static uint64_t read_key(const struct hierarchy *h, const char *cgroup, const char *file,
                         const char *key)
{
    char path[PATH_MAX], name[64];
    unsigned long long value, found = 0;
    if (!h)
        return 0;
    file_path(h, cgroup, file, path);
    FILE *f = fopen(path, "re");
    while (f && fscanf(f, "%63s %llu", name, &value) == 2)
        if (strcmp(name, key) == 0)
            found = value;
    if (f)
        fclose(f);
    return found;
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX));
}

static json_t *stats(uint64_t cpu, uint64_t user, uint64_t kernel, uint64_t usage, uint64_t limit,
                     uint64_t max, uint64_t pids)
{
    return json_pack("{s:{s:{s:o,s:o,s:o}}, s:{s:{s:o,s:o,s:o}}, s:{s:o}}", "cpu", "usage", "total",
                     number(cpu), "user", number(user), "kernel", number(kernel), "memory", "usage",
                     "usage", number(usage), "limit", number(limit), "max", number(max), "pids",
                     "current", number(pids));
}

json_t *cgroup_stats(const char *cgroup)
{
    const struct hierarchy *v2 = find_v2(), *memory = find_v1("memory"), *cpu = find_v1("cpuacct");
    if (have_v1)
        return stats(read_number(cpu, cgroup, "cpuacct.usage"),
                     read_number(cpu, cgroup, "cpuacct.usage_user"),
                     read_number(cpu, cgroup, "cpuacct.usage_sys"),
                     read_number(memory, cgroup, "memory.usage_in_bytes"),
                     read_number(memory, cgroup, "memory.limit_in_bytes"),
                     read_number(memory, cgroup, "memory.max_usage_in_bytes"),
                     read_number(find_v1("pids"), cgroup, "pids.current"));
    return stats(1000 * read_key(v2, cgroup, "cpu.stat", "usage_usec"),
                 1000 * read_key(v2, cgroup, "cpu.stat", "user_usec"),
                 1000 * read_key(v2, cgroup, "cpu.stat", "system_usec"),
                 read_number(v2, cgroup, "memory.current"), read_number(v2, cgroup, "memory.max"),
                 read_number(v2, cgroup, "memory.peak"), read_number(v2, cgroup, "pids.current"));
}
