/* What a new process is to be: StartContainer's and Exec's parameters, checked. Private to control/. */
#pragma once
#include "control/sandbox.h"
#include "kernel/limits.h"

struct cred;

struct start_spec {
    char *id;
    char *filename; /* or NULL */
    char **argv, **envv, **secret_envv; /* NULL-terminated; argv may be NULL */
    char *wd;       /* or NULL */
    bool wd_optional;
    bool ids_given; /* KUID or KGID */
    uint32_t kuid, kgid;
    bool inner_ids_given; /* uid or gid: as the container's user namespace has them */
    uint32_t uid, gid;
    char *user; /* or NULL */
    bool login;
    uint32_t *groups;
    unsigned group_count;
    bool caps_given;
    uint64_t cap_bounding, cap_permitted, cap_effective, cap_inheritable, cap_ambient;
    bool no_new_privileges;
    uint32_t umask;
    struct limits limits;
    bool resolve_home, resolve_binary_path;
    int *donated; /* numbers */
    unsigned donated_count;
    bool terminal, init, tied;
    uint64_t ignored_signals; /* SIGBIT(n) */
    int64_t oom_score_adj, nice, personality;
    const json_t *initial_cgroups; /* borrowed, or NULL */
};

/* exec: what only StartContainer may say is unknown. */
NODISCARD int start_params(struct request *r, bool exec, struct start_spec *ret);
void start_spec_free(struct start_spec *s);
/* The call as it may be written down: secret values are "(hidden)". Fresh memory, or NULL. */
char *start_describe(const char *method, const struct start_spec *s);

/* ---- in the container (container_step_in()) ---- */

/* users.c: who runs it: a reference. -ENOENT: no such user or group. */
NODISCARD int start_find_user(const struct start_spec *s, const struct container *c, struct cred **ret);
/* users.c: "HOME=..." by the uid's line in /etc/passwd; fresh memory. */
NODISCARD int start_find_home(const struct container *c, uint32_t kuid, char **ret);
/* program.c: the file that the spec's name means, by execvpe(3)'s rules with the PATH of `envv`; fresh memory. On
 * failure `problem` says it in words. */
NODISCARD int start_find_program(const struct start_spec *s, char *const *envv, char **ret, char *problem, size_t size);
