/*
 * picket install, uninstall: docker's and podman's configuration learn the runtime's name.
 *
 * docker: /etc/docker/daemon.json, "runtimes". podman: a drop-in of our own in containers.conf.d.
 * Nothing else in them is touched; the daemon must be told to read its file again (SIGHUP).
 */
#include "base/cleanup.h"
#include "runtime/command.h"
#include "runtime/options.h"
#include "runtime/spec.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOCKER_CONFIG "/etc/docker/daemon.json"
#define PODMAN_DIR "/etc/containers/containers.conf.d"

struct install_options {
    const char *name, *config, *podman;
};

static const struct argp_option options[] = {
    {"runtime", 'r', "NAME", 0, "the name engines know it by (default: picket)", 0},
    {"config_file", 'c', "FILE", 0, "docker's configuration (default: " DOCKER_CONFIG ")", 0},
    {"podman-dir", 'p', "DIR", 0, "podman's drop-in directory (default: " PODMAN_DIR ")", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct install_options *o = state->input;
    switch (key) {
    case 'r':
        o->name = arg;
        return 0;
    case 'c':
        o->config = arg;
        return 0;
    case 'p':
        o->podman = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "no arguments are taken");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Replaces a file as a whole. */
static int put_file(const char *path, const char *text, struct error *err)
{
    char draft[PATH_MAX];
    bool fits = snprintf(draft, sizeof draft, "%s.picket-new", path) < (int)sizeof draft;
    CLEANUP_FD int fd = fits ? open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    if (fd < 0 || dprintf(fd, "%s\n", text) < 0 || rename(draft, path) < 0)
        return error_set(err, EXIT_FAILURE, "cannot write '%s': %s", path, strerror(errno));
    return 0;
}

static void make_parents(const char *path)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0755);
        *slash = '/';
    }
}

static int edit_docker(const struct install_options *o, const char *program, struct error *err)
{
    json_error_t problem;
    json_t *config = NULL;
    if (access(o->config, F_OK) == 0) {
        config = json_load_file(o->config, 0, &problem);
        if (!json_is_object(config)) {
            json_decref(config);
            return error_set(err, EXIT_FAILURE, "'%s': line %d: %s", o->config, problem.line,
                             problem.text);
        }
    } else if (!program) {
        return 0;
    }
    if (!config)
        config = json_object();
    json_t *runtimes = json_object_get(config, "runtimes");
    if (!json_is_object(runtimes)) {
        json_object_set_new(config, "runtimes", json_object());
        runtimes = json_object_get(config, "runtimes");
    }
    if (program)
        json_object_set_new(runtimes, o->name, json_pack("{s:s}", "path", program));
    else
        json_object_del(runtimes, o->name);
    if (json_object_size(runtimes) == 0)
        json_object_del(config, "runtimes");
    CLEANUP_FREE char *text = json_dumps(config, JSON_INDENT(4));
    json_decref(config);
    make_parents(o->config);
    return text ? put_file(o->config, text, err) : error_set(err, EXIT_FAILURE, "out of memory");
}

static int edit_podman(const struct install_options *o, const char *program, struct error *err)
{
    char path[PATH_MAX], text[PATH_MAX + 128];
    if (snprintf(path, sizeof path, "%s/%s.conf", o->podman, o->name) >= (int)sizeof path)
        return error_set(err, EXIT_FAILURE, "'%s' is too long", o->podman);
    if (!program)
        return unlink(path) < 0 && errno != ENOENT
                   ? error_set(err, EXIT_FAILURE, "cannot remove '%s': %s", path, strerror(errno))
                   : 0;
    snprintf(text, sizeof text, "[engine.runtimes]\n%s = [\"%s\"]", o->name, program);
    make_parents(path);
    return put_file(path, text, err);
}

static int edit(int argc, char **argv, const struct argp *argp, bool install)
{
    struct install_options o = {"picket", DOCKER_CONFIG, PODMAN_DIR};
    struct error err;
    char program[PATH_MAX] = "";
    options_parse(argp, argc, argv, false, &o);
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len > 0 ? len : 0] = '\0';
    const char *target = install ? program : NULL;
    if (edit_docker(&o, target, &err) < 0 || edit_podman(&o, target, &err) < 0)
        return error_report(&err);
    return 0;
}

int cmd_install(int argc, char **argv)
{
    static const struct argp install_argp = {
        .options = options,
        .parser = parse,
        .doc = "Makes this program known to docker and podman as a runtime."};
    return edit(argc, argv, &install_argp, true);
}

int cmd_uninstall(int argc, char **argv)
{
    static const struct argp uninstall_argp = {
        .options = options, .parser = parse, .doc = "Undoes 'picket install'."};
    return edit(argc, argv, &uninstall_argp, false);
}
