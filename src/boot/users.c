/*
 * "user[:group]" to credentials, by the /etc/passwd and /etc/group of the sandbox's own root. Numbers need not be
 * listed there; names must be. A user by name also has its supplementary groups.
 */
#include "base/cleanup.h"
#include "boot/boot.h"
#include "kernel/cred.h"
#include "vfs/vfs.h"
#include <limits.h>
#include <string.h>

#define MAX_DATABASE (1 << 20)
#define MAX_NAMED_GROUPS 1024

/* The text of a file, empty if there is none. */
static int read_database(const struct path *root, const char *name, char **ret)
{
    CLEANUP_PATH_REF struct path place = {0};
    CLEANUP_FREE char *text = calloc(1, MAX_DATABASE + 1);
    struct file *file;
    if (!text)
        return -ENOMEM;
    if (path_lookup_in(root, name, WALK_FOLLOW, &place) == 0 && vfs_open_path(&place, O_RDONLY, &file) == 0) {
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

static int named_cred(const struct path *root, struct cred **ret)
{
    CLEANUP_FREE char *passwd = NULL, *group_file = NULL, *user = strdup(boot.request->user);
    uint32_t uid, gid, groups[MAX_NAMED_GROUPS];
    unsigned count = 0;
    const char *name;
    int err = user ? read_database(root, "/etc/passwd", &passwd) : -ENOMEM;
    if (!err)
        err = read_database(root, "/etc/group", &group_file);
    if (err)
        return err;
    char *group = user;
    strsep(&group, ":");
    err = find_user(passwd, user, &uid, &gid, &name);
    if (!err)
        err = scan_groups(group_file, group, &gid, group ? NULL : name, groups, &count);
    if (!err)
        err = cred_new_user(uid, gid, ret);
    if (!err && count)
        err = cred_set_groups(*ret, groups, count);
    return err;
}

static int given_cred(struct cred **ret)
{
    const struct start_request *r = boot.request;
    int err = cred_new_user(r->uid, r->gid, ret);
    return err ? err : cred_set_groups(*ret, r->groups, r->group_count);
}

int boot_find_user(const struct path *root, const struct cred **ret)
{
    struct cred *cred = NULL;
    int err = boot.request->user ? named_cred(root, &cred) : given_cred(&cred);
    if (err) {
        if (cred)
            cred_put(cred);
        return err;
    }
    *ret = cred;
    return 0;
}
