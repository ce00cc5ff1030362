/* config.json's "process", which is also what exec's process.json holds. */
#include "runtime/spec.h"
#include <limits.h>
#include <string.h>
#include <strings.h>

static const char *const limit_names[] = {"RLIMIT_CPU",
                                          "RLIMIT_FSIZE",
                                          "RLIMIT_DATA",
                                          "RLIMIT_STACK",
                                          "RLIMIT_CORE",
                                          "RLIMIT_RSS",
                                          "RLIMIT_NPROC",
                                          "RLIMIT_NOFILE",
                                          "RLIMIT_MEMLOCK",
                                          "RLIMIT_AS",
                                          "RLIMIT_LOCKS",
                                          "RLIMIT_SIGPENDING",
                                          "RLIMIT_MSGQUEUE",
                                          "RLIMIT_NICE",
                                          "RLIMIT_RTPRIO",
                                          "RLIMIT_RTTIME",
                                          NULL};

/* In the order of their numbers. */
const char *const spec_capability_names[] = {"CAP_CHOWN",
                                             "CAP_DAC_OVERRIDE",
                                             "CAP_DAC_READ_SEARCH",
                                             "CAP_FOWNER",
                                             "CAP_FSETID",
                                             "CAP_KILL",
                                             "CAP_SETGID",
                                             "CAP_SETUID",
                                             "CAP_SETPCAP",
                                             "CAP_LINUX_IMMUTABLE",
                                             "CAP_NET_BIND_SERVICE",
                                             "CAP_NET_BROADCAST",
                                             "CAP_NET_ADMIN",
                                             "CAP_NET_RAW",
                                             "CAP_IPC_LOCK",
                                             "CAP_IPC_OWNER",
                                             "CAP_SYS_MODULE",
                                             "CAP_SYS_RAWIO",
                                             "CAP_SYS_CHROOT",
                                             "CAP_SYS_PTRACE",
                                             "CAP_SYS_PACCT",
                                             "CAP_SYS_ADMIN",
                                             "CAP_SYS_BOOT",
                                             "CAP_SYS_NICE",
                                             "CAP_SYS_RESOURCE",
                                             "CAP_SYS_TIME",
                                             "CAP_SYS_TTY_CONFIG",
                                             "CAP_MKNOD",
                                             "CAP_LEASE",
                                             "CAP_AUDIT_WRITE",
                                             "CAP_AUDIT_CONTROL",
                                             "CAP_SETFCAP",
                                             "CAP_MAC_OVERRIDE",
                                             "CAP_MAC_ADMIN",
                                             "CAP_SYSLOG",
                                             "CAP_WAKE_ALARM",
                                             "CAP_BLOCK_SUSPEND",
                                             "CAP_AUDIT_READ",
                                             "CAP_PERFMON",
                                             "CAP_BPF",
                                             "CAP_CHECKPOINT_RESTORE",
                                             NULL};

int spec_capability(const char *name)
{
    for (int i = 0; spec_capability_names[i]; i++)
        if (strcasecmp(spec_capability_names[i], name) == 0)
            return i;
    return -1;
}

static int read_console(const struct node *n, struct spec_process *p)
{
    struct node height = node_member(n, "height"), width = node_member(n, "width");
    int64_t h = 0, w = 0;
    if (node_object(n) < 0 || node_integer(&height, 0, UINT16_MAX, &h) < 0 ||
        node_integer(&width, 0, UINT16_MAX, &w) < 0)
        return -1;
    p->console_height = (unsigned)h;
    p->console_width = (unsigned)w;
    return 0;
}

static int read_groups(const struct node *n, struct spec_process *p)
{
    if (node_list(n) < 0)
        return -1;
    p->groups = spec_list(n, sizeof *p->groups, &p->group_count);
    if (!p->groups)
        return node_error(n, "out of memory");
    if (p->group_count > NGROUPS_MAX)
        return node_error(n, "has more than %d groups", NGROUPS_MAX);
    for (size_t i = 0; i < p->group_count; i++) {
        struct node e = node_element(n, i);
        if (node_required(&e) < 0 || node_u32(&e, &p->groups[i]) < 0)
            return -1;
    }
    return 0;
}

static int read_user(const struct node *n, struct spec_process *p)
{
    static const char *const known[] = {"uid", "gid", "umask", "additionalGids", "username", NULL};
    struct node uid = node_member(n, "uid"), gid = node_member(n, "gid"),
                umask = node_member(n, "umask");
    struct node groups = node_member(n, "additionalGids"), name = node_member(n, "username");
    int64_t mask = -1;
    if (node_object(n) < 0 || node_u32(&uid, &p->uid) < 0 || node_u32(&gid, &p->gid) < 0 ||
        node_integer(&umask, 0, 07777, &mask) < 0 || read_groups(&groups, p) < 0 ||
        node_string(&name, &p->username) < 0)
        return -1;
    if (p->uid == SPEC_ID_NONE)
        return node_error(&uid, "%u is no user id", p->uid);
    if (p->gid == SPEC_ID_NONE)
        return node_error(&gid, "%u is no group id", p->gid);
    if (mask >= 0)
        p->umask = (int)(mask & 0777);
    node_warn_unknown(n, known);
    return 0;
}

static int read_capabilities(const struct node *n, struct spec_process *p)
{
    static const char *const sets[CAPS_SETS + 1] = {"bounding",  "effective", "inheritable",
                                                    "permitted", "ambient",   NULL};
    if (!node_present(n))
        return 0;
    if (node_object(n) < 0)
        return -1;
    node_warn_unknown(n, sets);
    p->caps_given = true;
    for (unsigned set = 0; set < CAPS_SETS; set++) {
        struct node list = node_member(n, sets[set]);
        char **names = NULL;
        if (node_strings(&list, &names) < 0)
            return -1;
        for (size_t i = 0; i < node_count(&list); i++) {
            int cap = spec_capability(names[i]);
            struct node e = node_element(&list, i);
            /* The specification: one that the runtime cannot give is warned of, not refused. */
            if (cap < 0)
                node_warn(&e, "unknown capability \"%.64s\"", names[i]);
            else
                p->caps[set] |= 1ULL << cap;
        }
    }
    return 0;
}

static int read_rlimit(const struct node *n, const struct spec_process *p, size_t before,
                       struct spec_rlimit *ret)
{
    struct node type = node_member(n, "type"), hard = node_member(n, "hard"),
                soft = node_member(n, "soft");
    unsigned which = 0;
    if (node_object(n) < 0 || node_required(&type) < 0 ||
        node_choice(&type, "limit", limit_names, &which) < 0 || node_required(&hard) < 0 ||
        node_u64(&hard, &ret->hard) < 0 || node_required(&soft) < 0 ||
        node_u64(&soft, &ret->soft) < 0)
        return -1;
    ret->name = limit_names[which];
    for (size_t i = 0; i < before; i++)
        if (p->rlimits[i].name == ret->name)
            return node_error(&type, "%s is given twice", ret->name);
    if (ret->soft > ret->hard)
        return node_error(&soft, "is above the hard limit");
    return 0;
}

static int read_rlimits(const struct node *n, struct spec_process *p)
{
    if (node_list(n) < 0)
        return -1;
    p->rlimits = spec_list(n, sizeof *p->rlimits, &p->rlimit_count);
    if (!p->rlimits)
        return node_error(n, "out of memory");
    for (size_t i = 0; i < p->rlimit_count; i++) {
        struct node e = node_element(n, i);
        if (read_rlimit(&e, p, i, &p->rlimits[i]) < 0)
            return -1;
    }
    return 0;
}

static int read_env(const struct node *n, struct spec_process *p)
{
    if (node_strings(n, &p->env) < 0)
        return -1;
    for (size_t i = 0; i < node_count(n); i++) {
        struct node e = node_element(n, i);
        if (!strchr(p->env[i], '=') || p->env[i][0] == '=')
            node_warn(&e, "\"%.64s\" is not NAME=VALUE", p->env[i]);
    }
    return 0;
}

static void warn_ignored(const struct node *n)
{
    static const char *const known[] = {"terminal",
                                        "consoleSize",
                                        "user",
                                        "args",
                                        "env",
                                        "cwd",
                                        "capabilities",
                                        "rlimits",
                                        "noNewPrivileges",
                                        "oomScoreAdj",
                                        "apparmorProfile",
                                        "selinuxLabel",
                                        "ioPriority",
                                        "scheduler",
                                        "execCPUAffinity",
                                        "commandLine",
                                        NULL};
    static const char *const ignored[] = {"apparmorProfile", "selinuxLabel",    "ioPriority",
                                          "scheduler",       "execCPUAffinity", "commandLine"};
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
        struct node member = node_member(n, ignored[i]);
        const char *text = json_string_value(member.value);
        if (node_present(&member) && !(text && !*text))
            node_warn(&member, "is not supported and ignored");
    }
    node_warn_unknown(n, known);
}

int spec_read_process(const struct node *n, struct spec_process *p)
{
    struct node terminal = node_member(n, "terminal"), console = node_member(n, "consoleSize");
    struct node user = node_member(n, "user"), args = node_member(n, "args"),
                env = node_member(n, "env");
    struct node cwd = node_member(n, "cwd"), caps = node_member(n, "capabilities");
    struct node rlimits = node_member(n, "rlimits"), nnp = node_member(n, "noNewPrivileges");
    struct node oom = node_member(n, "oomScoreAdj");
    int64_t score = 0;
    p->given = node_present(n);
    if (!p->given)
        return 0;
    if (node_object(n) < 0 || node_bool(&terminal, &p->terminal) < 0 ||
        read_console(&console, p) < 0 || read_user(&user, p) < 0 || node_required(&args) < 0 ||
        node_strings(&args, &p->args) < 0 || read_env(&env, p) < 0 || node_required(&cwd) < 0 ||
        node_path(&cwd, &p->cwd) < 0 || read_capabilities(&caps, p) < 0 ||
        read_rlimits(&rlimits, p) < 0 || node_bool(&nnp, &p->no_new_privileges) < 0 ||
        node_integer(&oom, -1000, 1000, &score) < 0)
        return -1;
    if (node_count(&args) == 0)
        return node_error(&args, "must have at least one element");
    p->oom_score_given = node_present(&oom);
    p->oom_score_adj = (int)score;
    warn_ignored(n);
    return 0;
}
