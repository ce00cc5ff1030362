/*
 * From a program's name to its file: an absolute path is taken as it is, a name with a slash is below the working
 * directory, anything else is looked for in PATH, as execvpe(3) does it.
 */
#include "base/cleanup.h"
#include "control/start.h"
#include "kernel/cred.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_PATH "/bin:/usr/bin" /* as execvp(3) has it when PATH is not set */

static const char *environment(char *const *envv, const char *name)
{
    size_t len = strlen(name);
    for (char *const *e = envv; e && *e; e++)
        if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
            return *e + len + 1;
    return NULL;
}

/* Is there something at `path` that the user may execute? */
static int check_program(const char *path)
{
    CLEANUP_PATH_REF struct path place = {0};
    int err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, &place);
    if (err)
        return err;
    if (!S_ISREG(place.dentry->inode->attr.mode))
        return -EACCES;
    return inode_permission(place.dentry->inode, MAY_EXEC, current_cred());
}

static int copy(const char *path, char **ret)
{
    return (*ret = strdup(path)) ? 0 : -ENOMEM;
}

static int below_directory(const char *wd, const char *name, char **ret, char *problem, size_t size)
{
    if (wd && wd[0] != '/') {
        snprintf(problem, size, "working directory '%.200s' is relative", wd);
        return -EINVAL;
    }
    return asprintf(ret, "%s/%s", wd ? wd : "", name) < 0 ? -ENOMEM : 0;
}

/* What execvpe(3) goes on after; EACCES it remembers. */
static bool goes_on_after(int err)
{
    return err == -EACCES || err == -ENOENT || err == -ENOTDIR || err == -ESTALE || err == -ENODEV ||
           err == -ETIMEDOUT;
}

static int in_path(const char *name, const char *dirs, char **ret)
{
    int result = -ENOENT;
    for (const char *dir = dirs; *name && dir;) {
        const char *end = strchrnul(dir, ':');
        char path[PATH_MAX];
        int len = snprintf(path, sizeof path, "%.*s/%s", (int)(end - dir), dir, name);
        if (*dir == '/' && len < PATH_MAX) { /* relative ones are skipped */
            int err = check_program(path);
            if (err == 0)
                return copy(path, ret);
            if (!goes_on_after(err))
                return err;
            if (err == -EACCES)
                result = err; /* reported if nothing better comes */
        }
        dir = *end ? end + 1 : NULL;
    }
    return result;
}

int start_find_program(const struct start_spec *s, char *const *envv, char **ret, char *problem, size_t size)
{
    const char *name = s->filename && *s->filename ? s->filename : s->argv ? s->argv[0] : NULL;
    if (!name) {
        snprintf(problem, size, "neither filename nor argv is given");
        return -EINVAL;
    }
    if (!s->resolve_binary_path || name[0] == '/')
        return copy(name, ret);
    if (strchr(name, '/'))
        return below_directory(s->wd, name, ret, problem, size);
    const char *dirs = environment(envv, "PATH");
    int err = in_path(name, dirs ? dirs : DEFAULT_PATH, ret);
    if (err)
        snprintf(problem, size, "cannot run '%.200s': %s (PATH is '%.200s')", name, strerror(-err),
                 dirs ? dirs : DEFAULT_PATH);
    return err;
}
