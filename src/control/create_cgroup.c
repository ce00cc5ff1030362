/* A container's place in the sandbox's cgroup tree, and the requests that read and write control files. */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "control/create.h"
#include "kernel/cgroup.h"
#include <string.h>

static int write_files(struct request *r, const struct create_spec *s, struct cgroup *cg)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)s->cgroup_files, name, value)
    {
        int err = cgroup_file_write(cg, name, json_string_value(value));
        if (err)
            return request_fail(r, err, "cgroup file '%.100s': %s", name, strerror(-err));
    }
    return 0;
}

/* What limits a cgroup is there only if the ones above it hand the controllers down. */
static void enable_controllers(struct cgroup *cg)
{
    if (!cg->parent)
        return;
    enable_controllers(cg->parent);
    /* -EBUSY: a process sits there, and it does without, as on Linux. */
    (void)!cgroup_file_write(cg->parent, "cgroup.subtree_control", "+cpuset +cpu +io +memory +pids");
}

int create_cgroup(struct request *r, const struct create_spec *s, struct unit *u)
{
    if (!s->cgroup)
        return s->cgroup_files ? request_fail(r, -EINVAL, "cgroup_files without cgroup") : 0;
    bool there = cgroup_exists(NULL, s->cgroup);
    int err = cgroup_create(s->cgroup, &u->container->cgroup);
    if (err)
        return request_fail(r, err, "cgroup '%.200s': %s", s->cgroup, strerror(-err));
    if (!there)
        u->cgroup_made = strdup(s->cgroup);
    enable_controllers(u->container->cgroup);
    err = write_files(r, s, u->container->cgroup);
    if (!err)
        cgroup_show_limits(u->container->cgroup);
    return err;
}

void remove_cgroup(struct unit *u)
{
    /* -EBUSY: somebody has put something else into it, and it stays theirs. */
    if (u->cgroup_made)
        (void)!cgroup_remove(u->cgroup_made);
}

/* ---- control files ---- */

/* The cgroup meant: by path, or a container's. */
static int find_cgroup(struct request *r, const char *path, struct cgroup **ret)
{
    struct unit *u;
    if (path) {
        int err = request_params(r);
        if (!err && cgroup_find(path, ret) < 0)
            err = request_fail(r, -ENOENT, "there is no cgroup '%.200s'", path);
        return err;
    }
    int err = request_unit(r, &u);
    if (err)
        return err;
    *ret = cgroup_get(u->container->cgroup ? u->container->cgroup : cgroup_root());
    unit_put(u);
    return 0;
}

static int access_file(struct request *r, bool write)
{
    CLEANUP_FREE char *path = NULL, *file = NULL, *text = NULL;
    struct cgroup *cg;
    struct strbuf out = STRBUF_INIT;
    params_path(&r->params, "cgroup", &path);
    params_string(&r->params, "file", &file);
    if (write)
        params_string(&r->params, "text", &text);
    if (!file || (write && !text))
        params_bad(&r->params, file ? "text" : "file", "is missing");
    int err = find_cgroup(r, path, &cg);
    if (err)
        return err;
    err = write ? cgroup_file_write(cg, file, text) : cgroup_file_read(cg, file, &out);
    if (err)
        request_fail(r, err, "cgroup file '%.100s': %s", file, strerror(-err));
    else if (!write)
        r->result = json_pack("{s:s}", "text", out.s ? out.s : "");
    strbuf_free(&out);
    cgroup_put(cg);
    return err;
}

int handle_cgroup_read(struct request *r)
{
    return access_file(r, false);
}

int handle_cgroup_write(struct request *r)
{
    return access_file(r, true);
}
