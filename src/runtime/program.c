/* Finding a program as execvp(3) would, and showing its name. */
#include "runtime/program.h"
#include "base/strbuf.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static char *title;
static size_t title_size;

/* Is `path` under a mount that only the sandbox has? */
static bool is_inside_only(const struct spec *spec, const char *path)
{
    for (size_t i = 0; i < spec->mount_count; i++) {
        const struct spec_mount *m = &spec->mounts[i];
        size_t len = strlen(m->destination);
        if (!m->bind && strncmp(path, m->destination, len) == 0 && (path[len] == '/' || len == 1))
            return true;
    }
    return false;
}

static bool has_group(const struct spec_process *p, gid_t gid)
{
    for (size_t i = 0; i < p->group_count; i++)
        if (p->groups[i] == gid)
            return true;
    return p->gid == gid;
}

/* 0, or the errno that execve(2) would give. */
static int check_file(const struct spec_process *p, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno;
    if (!S_ISREG(st.st_mode))
        return EACCES;
    mode_t bit = p->uid == 0               ? 0111
                 : p->uid == st.st_uid     ? 0100
                 : has_group(p, st.st_gid) ? 0010
                                           : 0001;
    return st.st_mode & bit ? 0 : EACCES;
}

static const char *search_path(const struct spec_process *p)
{
    for (char **e = p->env; e && *e; e++)
        if (strncmp(*e, "PATH=", 5) == 0)
            return *e + 5;
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* The words are what engines look for, in lower case: docker's command line minds that. */
static int not_found(const char *name, int e, struct error *err)
{
    if (e == EACCES)
        return error_set(err, EXIT_NOT_EXECUTABLE, "exec: `%.200s`: permission denied", name);
    if (!strchr(name, '/'))
        return error_set(err, EXIT_NOT_FOUND,
                         "executable file `%.200s` not found in $PATH: no such file or directory",
                         name);
    if (e == ENOENT)
        return error_set(err, EXIT_NOT_FOUND, "exec: `%.200s`: no such file or directory", name);
    return error_set(err, EXIT_NOT_FOUND, "exec: `%.200s`: %s", name, strerror(e));
}

static int check_in_path(const struct spec *spec, const char *name, struct error *err)
{
    const struct spec_process *p = &spec->process;
    int worst = ENOENT;
    for (const char *dir = search_path(p); dir;
         dir = strchr(dir, ':') ? strchr(dir, ':') + 1 : NULL) {
        char path[PATH_MAX];
        int len = (int)strcspn(dir, ":");
        if (dir[0] != '/' ||
            snprintf(path, sizeof path, "%.*s/%s", len, dir, name) >= (int)sizeof path)
            continue;
        if (is_inside_only(spec, path))
            return 0;
        int e = check_file(p, path);
        if (e == 0)
            return 0;
        if (e == EACCES)
            worst = e;
    }
    return not_found(name, worst, err);
}

int program_check(const struct spec *spec, struct error *err)
{
    const struct spec_process *p = &spec->process;
    const char *name = p->args[0];
    char path[PATH_MAX];
    if (!*name)
        return not_found(name, ENOENT, err);
    if (!strchr(name, '/'))
        return check_in_path(spec, name, err);
    int len = name[0] == '/' ? snprintf(path, sizeof path, "%s", name)
                             : snprintf(path, sizeof path, "%s/%s", p->cwd, name);
    if (len >= (int)sizeof path)
        return not_found(name, ENAMETOOLONG, err);
    int e = is_inside_only(spec, path) ? 0 : check_file(p, path);
    return e ? not_found(name, e, err) : 0;
}

void program_init(int argc, char **argv)
{
    title = argv[0];
    title_size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
}

void program_set_title(const struct spec_process *p)
{
    const char *slash = p->given ? strrchr(p->args[0], '/') : NULL;
    size_t used = 0;
    if (!p->given || !title)
        return;
    prctl(PR_SET_NAME, slash ? slash + 1 : p->args[0]);
    for (char **arg = p->args; *arg && used < title_size; arg++) {
        size_t len = MIN(strlen(*arg) + 1, title_size - used);
        memcpy(title + used, *arg, len);
        used += len;
    }
    memset(title + used, 0, title_size - used);
}
