/*
 * Credentials of a new process, and its home: "user[:group]" by the /etc/passwd and /etc/group of the container's own
 * root. Numbers need not be listed there. A name that is not there is root, unless it is a login: then it is an error,
 * and a user by name also has its supplementary groups.
 */
#include "base/cleanup.h"
#include "control/start.h"
#include "kernel/cred.h"
#include "kernel/user_namespace.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MAX_DATABASE (1 << 20)
#define MAX_NAMED_GROUPS 1024

/* The text of a file, empty if there is none. */
static int read_database(const char *name, char **ret)
{
    CLEANUP_FREE char *text = calloc(1, MAX_DATABASE + 1);
    struct file *file;
    if (!text)
        return -ENOMEM;
    const struct open_how_kernel how = {.flags = O_RDONLY | O_NONBLOCK};
    if (vfs_open_at(AT_FDCWD, name, &how, &file) == 0) {
        ssize_t n = vfs_read_kernel(file, text, MAX_DATABASE, 0);
        file_put(file);
        if (n < 0)
            return (int)n;
    }
    *ret = TAKE_PTR(text);
    return 0;
}

/* Splits a line of colon-separated fields in place; the number of fields found, the rest are "". */
static int split(char *line, char *fields[], int max)
{
    int n = 0;
    for (int i = 0; i < max; i++)
        fields[i] = (char *)"";
    for (char *s = line; s && n < max;)
        fields[n++] = strsep(&s, ":");
    return n;
}

static bool parse_id(const char *s, uint32_t *ret)
{
    char *end;
    unsigned long v = strtoul(s, &end, 10);
    if (*s < '0' || *s > '9' || *end || v >= UINT32_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

/* The uid and gid of a user. A number that is not listed has gid 0, as engines have it. */
static int find_user(char *passwd, const char *user, uint32_t *ret_uid, uint32_t *ret_gid, const char **ret_name)
{
    uint32_t number = 0, uid, gid;
    bool numeric = parse_id(user, &number);
    for (char *line; (line = strsep(&passwd, "\n"));) {
        char *f[4];
        if (split(line, f, 4) < 4 || !parse_id(f[2], &uid) || !parse_id(f[3], &gid))
            continue;
        if (numeric ? uid == number : strcmp(f[0], user) == 0) {
            *ret_uid = uid;
            *ret_gid = gid;
            *ret_name = f[0];
            return 0;
        }
    }
    if (!numeric)
        return -ENOENT;
    *ret_uid = number;
    *ret_gid = 0;
    *ret_name = NULL;
    return 0;
}

/* The directory of the user with this uid, in the text; NULL: there is no such line. A line may lack what follows. */
static const char *find_home(char *passwd, uint32_t uid)
{
    uint32_t id;
    for (char *line; (line = strsep(&passwd, "\n"));) {
        char *f[7];
        if (split(line, f, 7) >= 3 && parse_id(f[2], &id) && id == uid)
            return f[5];
    }
    return NULL;
}

static bool is_member(char *members, const char *name)
{
    for (char *m; (m = strsep(&members, ","));)
        if (strcmp(m, name) == 0)
            return true;
    return false;
}

/* One pass over /etc/group: the gid of `group` (if not NULL), and all groups that list `member` (if not NULL). */
static int scan_groups(char *text, const char *group, uint32_t *gid, const char *member, uint32_t *list,
                       unsigned *count)
{
    bool found = !group || parse_id(group, gid);
    for (char *line; (line = strsep(&text, "\n"));) {
        char *f[4];
        uint32_t id;
        if (split(line, f, 4) < 3 || !parse_id(f[2], &id))
            continue;
        if (!found && strcmp(f[0], group) == 0) {
            *gid = id;
            found = true;
        }
        if (member && *count < MAX_NAMED_GROUPS && is_member(f[3], member))
            list[(*count)++] = id;
    }
    return found ? 0 : -ENOENT;
}

struct identity {
    uint32_t uid, gid; /* as the container has them */
    uint32_t groups[MAX_NAMED_GROUPS];
    unsigned count;
};

static int look_up_user(const struct start_spec *s, struct identity *ret)
{
    CLEANUP_FREE char *passwd = NULL, *group_file = NULL, *user = strdup(s->user);
    const char *name = NULL;
    int err = user ? read_database("/etc/passwd", &passwd) : -ENOMEM;
    if (!err)
        err = read_database("/etc/group", &group_file);
    if (err)
        return err;
    char *group = user;
    strsep(&group, ":");
    err = find_user(passwd, user, &ret->uid, &ret->gid, &name);
    if (err && !s->login) {
        ret->uid = ret->gid = 0; /* the documented default */
        err = 0;
    }
    if (!err)
        err = scan_groups(group_file, group, &ret->gid, group || !s->login ? NULL : name, ret->groups, &ret->count);
    if (err == -ENOENT && !s->login) { /* an unknown group, likewise */
        ret->gid = 0;
        err = 0;
    }
    return err;
}

/* An id as the container has it, as the kernel has it. */
static uint32_t outer_id(const struct container *c, enum id_kind kind, uint32_t id)
{
    return c->user_ns ? id_from_ns(c->user_ns, kind, id) : id;
}

static int new_cred(const struct container *c, uint32_t kuid, uint32_t kgid, bool is_root, struct cred **ret)
{
    struct cred *plain;
    int err = cred_new_user(kuid, kgid, &plain);
    if (err || !c->user_ns) {
        *ret = plain;
        return err;
    }
    err = user_namespace_enter(plain, c->user_ns, ret);
    cred_put(plain);
    if (!err && !is_root)
        (*ret)->cap_permitted = (*ret)->cap_effective = 0;
    return err;
}

static int add_groups(const struct start_spec *s, const struct container *c, struct identity *who, struct cred *cred)
{
    CLEANUP_FREE uint32_t *list = calloc(who->count + s->group_count + 1, sizeof *list);
    unsigned n = 0;
    if (!list)
        return -ENOMEM;
    for (unsigned i = 0; i < who->count; i++)
        list[n++] = outer_id(c, ID_GID, who->groups[i]);
    for (unsigned i = 0; i < s->group_count; i++)
        list[n++] = s->ids_given ? s->groups[i] : outer_id(c, ID_GID, s->groups[i]);
    for (unsigned i = 0; i < n; i++)
        if (list[i] == ID_INVALID)
            return -EINVAL;
    return n ? cred_set_groups(cred, list, n) : 0;
}

static void set_capabilities(const struct start_spec *s, struct cred *cred)
{
    cred->no_new_privs = s->no_new_privileges;
    if (!s->caps_given)
        return;
    cred->cap_bounding = s->cap_bounding;
    cred->cap_permitted = s->cap_permitted;
    cred->cap_effective = s->cap_effective & s->cap_permitted;
    cred->cap_inheritable = s->cap_inheritable;
    cred->cap_ambient = s->cap_ambient & s->cap_permitted & s->cap_inheritable;
}

int start_find_user(const struct start_spec *s, const struct container *c, struct cred **ret)
{
    struct identity who = {.uid = s->uid, .gid = s->gid};
    struct cred *cred;
    int err = s->user ? look_up_user(s, &who) : 0;
    if (err)
        return err;
    uint32_t kuid = s->ids_given ? s->kuid : outer_id(c, ID_UID, who.uid);
    uint32_t kgid = s->ids_given ? s->kgid : outer_id(c, ID_GID, who.gid);
    if (kuid == ID_INVALID || kgid == ID_INVALID)
        return -EINVAL;
    err = new_cred(c, kuid, kgid, s->ids_given ? kuid == outer_id(c, ID_UID, 0) : who.uid == 0, &cred);
    if (err)
        return err;
    err = add_groups(s, c, &who, cred);
    if (err) {
        cred_put(cred);
        return err;
    }
    set_capabilities(s, cred);
    *ret = cred;
    return 0;
}

int start_find_home(const struct container *c, uint32_t kuid, char **ret)
{
    CLEANUP_FREE char *passwd = NULL;
    int err = read_database("/etc/passwd", &passwd);
    if (err)
        return err;
    const char *home = find_home(passwd, c->user_ns ? id_to_ns(c->user_ns, ID_UID, kuid) : kuid);
    return asprintf(ret, "HOME=%s", home ? home : "/") < 0 ? -ENOMEM : 0;
}
