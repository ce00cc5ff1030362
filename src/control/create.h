/* CreateContainer's parameters, checked (create_params.c), and the steps that need them. Private to control/. */
#pragma once
#include "control/mount_options.h"
#include "control/sandbox.h"

struct create_mount {
    char *destination; /* absolute */
    char *type;
    bool optional; /* left out if there is no such place, or no such type */
    bool existing; /* the place is not made if it is not there */
    char **options; /* NULL-terminated, or NULL */
    bool has_source;
    uint32_t source_fd; /* index of a descriptor */
    char *source_path;  /* below it; NULL or "": itself */
};

struct create_device {
    char *path;
    uint32_t mode; /* with S_IFCHR ... */
    uint32_t major, minor, uid, gid;
};

/* How a namespace is come by. */
enum ns_source { NS_OF_SANDBOX, NS_NEW, NS_OF_CONTAINER };
enum { CREATE_NS_PID, CREATE_NS_UTS, CREATE_NS_IPC, CREATE_NS_NET, CREATE_NS_USER, CREATE_NS_CGROUP, CREATE_NS_COUNT };

struct create_id_map {
    uint32_t (*extents)[3]; /* inside, outside, count */
    unsigned count;
};

struct create_spec {
    char *id;
    uint32_t root_fd;
    unsigned overlay; /* 0: none, 1: memory */
    bool root_read_only, root_exclusive;
    char *hostname, *domainname; /* or NULL */
    struct create_mount *mounts;
    unsigned mount_count;
    enum ns_source ns_source[CREATE_NS_COUNT];
    char *ns_container[CREATE_NS_COUNT];
    struct create_id_map uid_map, gid_map;
    char **masked_paths, **read_only_paths;
    struct create_device *devices;
    unsigned device_count;
    const json_t *sysctl, *cgroup_files; /* borrowed from the request; objects of strings, or NULL */
    char *cgroup;
    char *filter; /* struct sock_filter[] */
    size_t filter_size;
    unsigned root_propagation; /* 0: not given */
    bool root_propagation_recursive;
};

NODISCARD int create_params(struct request *r, struct create_spec *ret);
void create_spec_free(struct create_spec *s);

/* create_cgroup.c: c->cgroup, with its files written. */
NODISCARD int create_cgroup(struct request *r, const struct create_spec *s, struct unit *u);
void remove_cgroup(struct unit *u); /* made by the above */
/* create_namespaces.c: c->ns and c->user_ns. */
NODISCARD int create_namespaces(struct request *r, const struct create_spec *s, struct container *c);
/* create_mounts.c: c->mounts, and everything in it. */
NODISCARD int create_mounts(struct request *r, const struct create_spec *s, struct container *c);
