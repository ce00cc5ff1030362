/* Finding a container's pod among the containers there are. */
#include "runtime/pod.h"
#include "base/cleanup.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const ns_files[SPEC_NS_COUNT] = {
    [SPEC_NS_PID] = "pid", [SPEC_NS_NETWORK] = "net", [SPEC_NS_IPC] = "ipc", [SPEC_NS_UTS] = "uts"};

/* What one container's namespaces have to do with the paths that the spec asks for. */
struct candidate {
    const char *id, *sandbox;
    pid_t agent;
};

static bool same_file(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_ino == sb.st_ino &&
           sa.st_dev == sb.st_dev;
}

static bool shares(const struct candidate *c, const struct spec *spec, enum spec_namespace ns)
{
    char path[64];
    pid_t pid;
    const char *wanted = spec->namespaces[ns].path;
    if (!wanted || !ns_files[ns])
        return false;
    /* All agents have the host's pid namespace: there only the way to it says whose is meant. */
    if (ns == SPEC_NS_PID)
        return sscanf(wanted, "/proc/%d/ns/pid", &pid) == 1 && pid == c->agent;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", c->agent, ns_files[ns]);
    return same_file(path, wanted);
}

static int note(char **place, const char *id, struct error *err)
{
    if (*place)
        return 0;
    *place = strdup(id);
    return *place ? 0 : error_set(err, EXIT_FAILURE, "out of memory");
}

static int look_at(struct pod *pod, const struct candidate *c, const struct spec *spec,
                   struct error *err)
{
    /* The host's own network is nobody's. */
    if (!pod->sandbox && shares(c, spec, SPEC_NS_NETWORK) &&
        !same_file("/proc/self/ns/net", spec->namespaces[SPEC_NS_NETWORK].path) &&
        note(&pod->sandbox, c->sandbox, err) < 0)
        return -1;
    if (!pod->sandbox || strcmp(pod->sandbox, c->sandbox) != 0)
        return 0;
    for (int ns = 0; ns < SPEC_NS_COUNT; ns++)
        if (ns != SPEC_NS_NETWORK && shares(c, spec, (enum spec_namespace)ns) &&
            note(&pod->share[ns], c->id, err) < 0)
            return -1;
    return 0;
}

static int look_at_all(struct pod *pod, const struct spec *spec, struct error *err)
{
    char **ids = NULL;
    int result = state_list(&ids, err);
    for (char **id = ids; result == 0 && id && *id; id++) {
        struct state s;
        struct error ignored;
        if (state_open(*id, STATE_READ, &s, &ignored) < 0)
            continue;
        enum state_status status = state_status(&s);
        struct candidate c = {s.id, s.sandbox, s.pid};
        if (status == STATE_CREATED || status == STATE_RUNNING || status == STATE_PAUSED)
            result = look_at(pod, &c, spec, err);
        state_close(&s);
    }
    state_free_ids(ids);
    return result;
}

/* The annotations of containerd and of CRI-O. */
static const char *annotated_sandbox(const struct spec *spec)
{
    static const struct {
        const char *type, *id;
    } engines[] = {{"io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id"},
                   {"io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.SandboxID"}};
    for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
        const char *type = spec_annotation(spec, engines[i].type),
                   *id = spec_annotation(spec, engines[i].id);
        if (type && id && strcmp(type, "container") == 0)
            return id;
    }
    return NULL;
}

int pod_find(const struct spec *spec, struct pod *ret, struct error *err)
{
    struct pod pod = {0};
    const char *annotated = annotated_sandbox(spec);
    bool paths = false;
    for (int ns = 0; ns < SPEC_NS_COUNT; ns++)
        paths |= spec->namespaces[ns].path != NULL && ns_files[ns];
    if (annotated) {
        struct state s;
        if (state_open(annotated, STATE_READ, &s, err) < 0)
            return -1;
        int result = note(&pod.sandbox, s.sandbox, err);
        state_close(&s);
        if (result < 0)
            return -1;
    }
    if (paths && look_at_all(&pod, spec, err) < 0) {
        pod_free(&pod);
        return -1;
    }
    *ret = pod;
    return 0;
}

void pod_free(struct pod *pod)
{
    free(pod->sandbox);
    for (int ns = 0; ns < SPEC_NS_COUNT; ns++)
        free(pod->share[ns]);
    *pod = (struct pod){0};
}
