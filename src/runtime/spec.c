/* config.json: reading the file, and its top level. process, mounts, linux and resources have files
 * of their own. */
#include "runtime/spec.h"
#include "base/cleanup.h"
#include "runtime/logfile.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const spec_hook_names[HOOK_KINDS + 1] = {
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    NULL};

void *spec_list(const struct node *n, size_t size, size_t *ret_count)
{
    void *list = arena_alloc(n->reader->arena, node_count(n) + 1, size);
    if (list)
        *ret_count = node_count(n);
    return list;
}

int spec_read_pairs(const struct node *n, struct spec_pairs *ret)
{
    if (!node_present(n))
        return 0;
    if (node_object(n) < 0)
        return -1;
    struct spec_pair *list =
        arena_alloc(n->reader->arena, json_object_size(n->value) + 1, sizeof *list);
    if (!list)
        return node_error(n, "out of memory");
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach(n->value, key, value)
    {
        struct node member = node_member(n, key);
        list[count] = (struct spec_pair){.name = key, .value = ""};
        if (node_string(&member, &list[count++].value) < 0)
            return -1;
    }
    *ret = (struct spec_pairs){list, count};
    return 0;
}

static int read_hook(const struct node *n, struct spec_hook *ret)
{
    static const char *const known[] = {"path", "args", "env", "timeout", NULL};
    struct node path = node_member(n, "path"), args = node_member(n, "args"),
                env = node_member(n, "env");
    struct node timeout = node_member(n, "timeout");
    int64_t seconds = 0;
    if (node_object(n) < 0 || node_required(&path) < 0 || node_path(&path, &ret->path) < 0 ||
        node_strings(&args, &ret->args) < 0 || node_strings(&env, &ret->env) < 0 ||
        node_integer(&timeout, 0, INT_MAX / 1000, &seconds) < 0)
        return -1;
    if (node_present(&timeout) && seconds == 0)
        return node_error(&timeout, "must be greater than zero");
    node_warn_unknown(n, known);
    ret->timeout = (int)seconds;
    return 0;
}

int spec_read_hooks(const struct node *n, struct spec *spec)
{
    if (node_object(n) < 0)
        return -1;
    node_warn_unknown(n, spec_hook_names);
    for (unsigned kind = 0; kind < HOOK_KINDS; kind++) {
        struct node list = node_member(n, spec_hook_names[kind]);
        if (node_list(&list) < 0)
            return -1;
        struct spec_hooks *hooks = &spec->hooks[kind];
        hooks->list = spec_list(&list, sizeof *hooks->list, &hooks->count);
        if (!hooks->list)
            return node_error(&list, "out of memory");
        for (size_t i = 0; i < hooks->count; i++) {
            struct node hook = node_element(&list, i);
            if (read_hook(&hook, &hooks->list[i]) < 0)
                return -1;
        }
        /* Its program is the container's: it must never run on the host's kernel. */
        if (kind == HOOK_START_CONTAINER && hooks->count)
            return node_error(&list, "is not supported");
    }
    return 0;
}

static int read_version(const struct node *n, struct spec *spec)
{
    unsigned major = 0, minor = 0;
    if (node_required(n) < 0 || node_string(n, &spec->version) < 0)
        return -1;
    if (sscanf(spec->version, "%u.%u", &major, &minor) != 2)
        return node_error(n, "\"%.64s\" is not a version", spec->version);
    if (major != 1)
        return node_error(n, "version %.64s is not supported (this is %s)", spec->version,
                          SPEC_VERSION);
    return 0;
}

static int read_root(const struct node *n, struct spec *spec)
{
    static const char *const known[] = {"path", "readonly", NULL};
    struct node path = node_member(n, "path"), readonly = node_member(n, "readonly");
    if (node_required(n) < 0 || node_object(n) < 0 || node_required(&path) < 0 ||
        node_string(&path, &spec->root) < 0 || node_bool(&readonly, &spec->root_readonly) < 0)
        return -1;
    if (!spec->root[0] || strlen(spec->root) >= PATH_MAX)
        return node_error(&path, "is empty or too long");
    node_warn_unknown(n, known);
    return 0;
}

static int read_name(const struct node *n, const char **ret)
{
    if (node_string(n, ret) < 0)
        return -1;
    if (*ret && strlen(*ret) > HOST_NAME_MAX)
        return node_error(n, "is longer than %d characters", HOST_NAME_MAX);
    return 0;
}

static int read_top(const struct node *n, struct spec *spec)
{
    static const char *const known[] = {"ociVersion", "root",   "process", "hostname",
                                        "domainname", "mounts", "hooks",   "annotations",
                                        "linux",      NULL};
    struct node version = node_member(n, "ociVersion"), root = node_member(n, "root");
    struct node process = node_member(n, "process"), hostname = node_member(n, "hostname");
    struct node domainname = node_member(n, "domainname"), mounts = node_member(n, "mounts");
    struct node hooks = node_member(n, "hooks"), annotations = node_member(n, "annotations");
    struct node linux_node = node_member(n, "linux");
    if (read_version(&version, spec) < 0 || read_root(&root, spec) < 0 ||
        spec_read_process(&process, &spec->process) < 0 ||
        read_name(&hostname, &spec->hostname) < 0 ||
        read_name(&domainname, &spec->domainname) < 0 || spec_read_mounts(&mounts, spec) < 0 ||
        spec_read_hooks(&hooks, spec) < 0 ||
        spec_read_pairs(&annotations, &spec->annotations) < 0 ||
        spec_read_linux(&linux_node, spec) < 0)
        return -1;
    node_warn_unknown(n, known);
    return 0;
}

/* ---- documents ---- */

typedef int (*read_fn)(const struct node *n, struct spec *spec);

static int parse(const char *text, size_t len, const char *file, read_fn read, struct spec *ret,
                 struct error *err)
{
    json_error_t problem;
    struct spec spec = {.process.umask = -1, .process.cwd = "/"};
    spec_resources_init(&spec.resources);
    spec.document = json_loadb(text, len, 0, &problem);
    /* RLIM_INFINITY is written as 2^64 - 1, which is no int64_t. */
    if (!spec.document && json_error_code(&problem) == json_error_numeric_overflow)
        spec.document = json_loadb(text, len, JSON_DECODE_INT_AS_REAL, &problem);
    if (!spec.document)
        return error_set(err, EXIT_FAILURE, "%s: line %d, column %d: %s", file, problem.line,
                         problem.column, problem.text);
    struct reader reader = {.arena = &spec.arena, .file = file, .err = err};
    struct node root = node_root(spec.document, &reader);
    int result = node_object(&root);
    if (result == 0)
        result = read(&root, &spec);
    if (result < 0) {
        spec_free(&spec);
        return -1;
    }
    *ret = spec;
    return 0;
}

static int read_process_document(const struct node *n, struct spec *spec)
{
    return spec_read_process(n, &spec->process);
}

static int read_resources_document(const struct node *n, struct spec *spec)
{
    return spec_read_resources(n, &spec->resources);
}

int spec_parse(const char *text, size_t len, struct spec *ret, struct error *err)
{
    return parse(text, len, "config.json", read_top, ret, err);
}

int spec_parse_process(const char *text, size_t len, struct spec *ret, struct error *err)
{
    return parse(text, len, "process", read_process_document, ret, err);
}

int spec_parse_resources(const char *text, size_t len, struct spec *ret, struct error *err)
{
    return parse(text, len, "resources", read_resources_document, ret, err);
}

static int read_all(int fd, char *text, size_t size, size_t *ret_len)
{
    size_t len = 0;
    while (len < size) {
        ssize_t n = read(fd, text + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *ret_len = len;
    return 0;
}

int spec_read_file(const char *path, char **ret, size_t *ret_len, struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    CLEANUP_FD int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_set(err, EXIT_FAILURE, "cannot read '%s': %s", path, strerror(errno));
    /* A regular file's size is known; a pipe may bring as much as is allowed. */
    size_t size =
        S_ISREG(st.st_mode) ? (size_t)MIN(st.st_size, (off_t)SPEC_MAX_FILE) + 1 : SPEC_MAX_FILE + 1;
    CLEANUP_FREE char *text = malloc(size + 1);
    if (!text)
        return error_set(err, EXIT_FAILURE, "out of memory");
    int result = read_all(fd, text, size, ret_len);
    if (result < 0)
        return error_set(err, EXIT_FAILURE, "cannot read '%s': %s", path, strerror(-result));
    if (*ret_len > SPEC_MAX_FILE)
        return error_set(err, EXIT_FAILURE, "'%s' is larger than %d MiB", path,
                         SPEC_MAX_FILE >> 20);
    text[*ret_len] = '\0';
    *ret = TAKE_PTR(text);
    return 0;
}

static int load(const char *path,
                int (*parse_text)(const char *, size_t, struct spec *, struct error *),
                struct spec *ret, struct error *err)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    if (spec_read_file(path, &text, &len, err) < 0)
        return -1;
    return parse_text(text, len, ret, err);
}

int spec_load(const char *path, struct spec *ret, struct error *err)
{
    return load(path, spec_parse, ret, err);
}

int spec_load_process(const char *path, struct spec *ret, struct error *err)
{
    return load(path, spec_parse_process, ret, err);
}

void spec_free(struct spec *spec)
{
    json_decref(spec->document);
    arena_free(&spec->arena);
    *spec = (struct spec){0};
}

const char *spec_annotation(const struct spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->annotations.count; i++)
        if (strcmp(spec->annotations.list[i].name, name) == 0)
            return spec->annotations.list[i].value;
    return NULL;
}
