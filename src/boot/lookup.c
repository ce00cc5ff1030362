/* From a command's name to its file, by the PATH it will run with: execvp(3)'s rules. */
#include "base/cleanup.h"
#include "boot/boot.h"
#include "kernel/cred.h"
#include "vfs/vfs.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_PATH "/bin:/usr/bin" /* as execvp(3) has it when PATH is not set */

static const char *environment(const char *name)
{
    size_t len = strlen(name);
    for (char **e = boot.request->envv; *e; e++)
        if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
            return *e + len + 1;
    return NULL;
}

/* Is there something at `path` that the user may execute? */
static int check_program(const struct path *root, const char *path, const struct cred *cred)
{
    CLEANUP_PATH_REF struct path place = {0};
    int err = path_lookup_in(root, path, WALK_FOLLOW, &place);
    if (err)
        return err;
    if (!S_ISREG(place.dentry->inode->attr.mode))
        return -EACCES;
    return inode_permission(place.dentry->inode, MAY_EXEC, cred);
}

int boot_find_program(const struct path *root, const struct cred *cred, char **ret)
{
    const char *name = boot.request->argv[0], *dirs = environment("PATH");
    int result = -ENOENT;
    if (strchr(name, '/'))
        return (*ret = strdup(name)) ? 0 : -ENOMEM;
    for (const char *dir = dirs ? dirs : DEFAULT_PATH; *name && dir;) {
        const char *end = strchrnul(dir, ':');
        char path[PATH_MAX];
        int len = snprintf(path, sizeof path, "%.*s/%s", (int)(end - dir), dir, name);
        if (*dir == '/' && len < PATH_MAX) {
            int err = check_program(root, path, cred);
            if (err == 0)
                return (*ret = strdup(path)) ? 0 : -ENOMEM;
            if (err == -EACCES)
                result = err; /* reported if nothing better comes */
        }
        dir = *end ? end + 1 : NULL;
    }
    return result;
}
