/*
 * config.json of a bundle (OCI runtime specification 1.2) as a plain struct.
 *
 *     struct spec spec;
 *     if (spec_load("bundle/config.json", &spec, &err) < 0) ...
 *     spec_free(&spec);
 *
 * Everything in it has been checked: types, ranges, names. Strings point into the parsed document,
 * which the spec keeps; lists end with NULL where they are lists of strings, else a count stands
 * beside them. What is not supported has been warned of, naming its JSON path; what would silently
 * weaken the container's isolation is an error instead.
 */
#pragma once
#include "base/base.h"
#include "runtime/node.h"

#define SPEC_VERSION "1.2.0"
#define SPEC_MAX_FILE (32 << 20)
#define SPEC_ID_NONE UINT32_MAX
#define SPEC_UNSET UINT64_MAX

struct spec_rlimit {
    const char *name; /* RLIMIT_x */
    uint64_t hard, soft;
};

enum spec_capset {
    CAPS_BOUNDING,
    CAPS_EFFECTIVE,
    CAPS_INHERITABLE,
    CAPS_PERMITTED,
    CAPS_AMBIENT,
    CAPS_SETS
};

struct spec_process {
    bool given;
    bool terminal;
    unsigned console_width, console_height; /* 0: as the terminal has it */
    uint32_t uid, gid;
    int umask; /* -1: not given */
    const char *username;
    uint32_t *groups;
    size_t group_count;
    char **args, **env;
    const char *cwd;
    bool caps_given;
    uint64_t caps[CAPS_SETS]; /* bit N: capability N */
    struct spec_rlimit *rlimits;
    size_t rlimit_count;
    bool no_new_privileges;
    bool oom_score_given;
    int oom_score_adj;
};

/* One mount, its options sorted out. */
struct spec_mount {
    const char *destination, *type, *source;
    char **options;            /* as written */
    unsigned long flags;       /* MS_x to set */
    unsigned long clear;       /* MS_x to clear */
    unsigned long recursive;   /* MS_x to set for the whole tree: rro, rnosuid ... */
    unsigned long propagation; /* MS_PRIVATE ..., MS_REC with it; 0: not given */
    const char *data;          /* the file system's own options, comma-separated, or "" */
    bool bind, bind_recursive;
    bool copy_up; /* tmpcopyup */
    bool idmap;
};

struct spec_hook {
    const char *path;
    char **args, **env;
    int timeout; /* seconds; 0: none */
};

enum spec_hook_kind {
    HOOK_PRESTART,
    HOOK_CREATE_RUNTIME,
    HOOK_CREATE_CONTAINER,
    HOOK_START_CONTAINER,
    HOOK_POSTSTART,
    HOOK_POSTSTOP,
    HOOK_KINDS
};

struct spec_hooks {
    struct spec_hook *list;
    size_t count;
};

enum spec_namespace {
    SPEC_NS_PID,
    SPEC_NS_NETWORK,
    SPEC_NS_IPC,
    SPEC_NS_UTS,
    SPEC_NS_MOUNT,
    SPEC_NS_USER,
    SPEC_NS_CGROUP,
    SPEC_NS_TIME,
    SPEC_NS_COUNT
};

struct spec_namespace_choice {
    bool given;       /* false: the caller's */
    const char *path; /* NULL: a new one */
};

struct spec_id_map {
    uint32_t inside, outside, count;
};

struct spec_device {
    const char *path;
    char type; /* 'c', 'b', 'p' */
    uint32_t major, minor, mode, uid, gid;
};

struct spec_device_rule {
    bool allow;
    char type;            /* 'a', 'c', 'b' */
    int64_t major, minor; /* -1: any */
    const char *access;
};

struct spec_pair { /* names and values of sysctl, annotations, unified */
    const char *name, *value;
};

struct spec_pairs {
    struct spec_pair *list;
    size_t count;
};

struct spec_weight_device {
    uint32_t major, minor;
    uint64_t value;
};

struct spec_throttle {
    struct spec_weight_device *list;
    size_t count;
};

enum spec_throttle_kind { IO_READ_BPS, IO_WRITE_BPS, IO_READ_IOPS, IO_WRITE_IOPS, IO_KINDS };

/* Numbers are SPEC_UNSET when not given; "unlimited" is INT64_MAX. */
struct spec_resources {
    uint64_t memory_limit, memory_reservation, memory_swap, memory_kernel, memory_swappiness;
    bool memory_disable_oom;
    uint64_t cpu_shares, cpu_quota, cpu_period, cpu_burst, cpu_rt_runtime, cpu_rt_period, cpu_idle;
    const char *cpus, *mems;
    uint64_t pids_limit;
    uint64_t io_weight;
    struct spec_throttle throttle[IO_KINDS];
    struct spec_pairs unified;
    struct spec_device_rule *device_rules;
    size_t device_rule_count;
};

struct spec {
    json_t *document;
    struct arena arena;
    const char *version;
    const char *root;
    bool root_readonly;
    const char *hostname, *domainname;
    struct spec_process process;
    struct spec_mount *mounts;
    size_t mount_count;
    struct spec_hooks hooks[HOOK_KINDS];
    struct spec_pairs annotations;
    struct spec_namespace_choice namespaces[SPEC_NS_COUNT];
    struct spec_id_map *uid_map, *gid_map;
    size_t uid_map_count, gid_map_count;
    struct spec_device *devices;
    size_t device_count;
    const char *cgroups_path;
    struct spec_resources resources;
    struct spec_pairs sysctl;
    json_t *seccomp; /* linux.seccomp, its shape checked by seccomp_compile(); NULL: none */
    unsigned long rootfs_propagation; /* MS_x, 0: not given */
    char **masked_paths, **readonly_paths;
    bool personality_given;
    uint64_t personality;
};

NODISCARD int spec_load(const char *path, struct spec *ret, struct error *err);
NODISCARD int spec_parse(const char *text, size_t len, struct spec *ret, struct error *err);
void spec_free(struct spec *spec);

/* A process.json, for exec: the same as config.json's "process". */
NODISCARD int spec_load_process(const char *path, struct spec *ret, struct error *err);
/* "linux.resources", for update; text of a file or of standard input. */
NODISCARD int spec_parse_resources(const char *text, size_t len, struct spec *ret,
                                   struct error *err);
NODISCARD int spec_parse_process(const char *text, size_t len, struct spec *ret, struct error *err);
/* A whole file, bounded, NUL-terminated; path "-": standard input. */
NODISCARD int spec_read_file(const char *path, char **ret, size_t *ret_len, struct error *err);

const char *spec_annotation(const struct spec *spec, const char *name); /* NULL: absent */
const char *spec_namespace_name(enum spec_namespace ns);                /* "network" */

/* For the parts of the parser. */
NODISCARD int spec_read_process(const struct node *n, struct spec_process *ret);
NODISCARD int spec_read_mounts(const struct node *n, struct spec *spec);
NODISCARD int spec_read_linux(const struct node *n, struct spec *spec);
NODISCARD int spec_read_resources(const struct node *n, struct spec_resources *ret);
NODISCARD int spec_read_hooks(const struct node *n, struct spec *spec);
NODISCARD int spec_read_pairs(const struct node *n, struct spec_pairs *ret);
/* An arena list for node's elements; *ret_count = their number. */
void *spec_list(const struct node *n, size_t size, size_t *ret_count);
void spec_resources_init(struct spec_resources *r);
extern const char *const spec_mount_option_names[]; /* ends with NULL */
extern const char *const spec_hook_names[HOOK_KINDS + 1];
int spec_capability(const char *name); /* CAP_x by name, -1 if unknown */
extern const char *const spec_capability_names[];
