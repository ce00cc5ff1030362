/* picket features: what this runtime can do, as the specification's features document. */
#include "base/cleanup.h"
#include "runtime/command.h"
#include "runtime/options.h"
#include "runtime/spec.h"
#include <stdio.h>
#include <string.h>

static error_t parse(int key, char *arg, struct argp_state *state)
{
    if (key == ARGP_KEY_ARG)
        argp_error(state, "features takes no argument");
    return ARGP_ERR_UNKNOWN;
}

static json_t *names(const char *const *list)
{
    json_t *array = json_array();
    for (; *list; list++)
        json_array_append_new(array, json_string(*list));
    return array;
}

static json_t *hook_names(void)
{
    json_t *array = names(spec_hook_names);
    json_array_remove(array, HOOK_START_CONTAINER);
    return array;
}

static json_t *linux_features(void)
{
    static const char *const seccomp_actions[] = {
        "SCMP_ACT_ALLOW",        "SCMP_ACT_ERRNO",       "SCMP_ACT_KILL",
        "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
        "SCMP_ACT_TRACE",        "SCMP_ACT_TRAP",        NULL};
    static const char *const operators[] = {"SCMP_CMP_NE",        "SCMP_CMP_LT", "SCMP_CMP_LE",
                                            "SCMP_CMP_EQ",        "SCMP_CMP_GE", "SCMP_CMP_GT",
                                            "SCMP_CMP_MASKED_EQ", NULL};
    static const char *const archs[] = {"SCMP_ARCH_X86_64", NULL};
    json_t *namespaces = json_array();
    for (int ns = 0; ns < SPEC_NS_TIME; ns++)
        json_array_append_new(namespaces,
                              json_string(spec_namespace_name((enum spec_namespace)ns)));
    json_t *seccomp =
        json_pack("{s:b, s:o, s:o, s:o}", "enabled", 1, "actions", names(seccomp_actions),
                  "operators", names(operators), "archs", names(archs));
    return json_pack("{s:o, s:o, s:{s:b,s:b,s:b,s:b,s:b}, s:o, s:{s:b}, s:{s:b}, s:{s:b}}",
                     "namespaces", namespaces, "capabilities", names(spec_capability_names),
                     "cgroup", "v1", 1, "v2", 1, "systemd", 1, "systemdUser", 0, "rdma", 0,
                     "seccomp", seccomp, "apparmor", "enabled", 0, "selinux", "enabled", 0,
                     "intelRdt", "enabled", 0);
}

int cmd_features(int argc, char **argv)
{
    static const struct argp features_argp = {.parser = parse,
                                              .doc = "Shows what Picket can do, as JSON."};
    options_parse(&features_argp, argc, argv, false, NULL);
    json_t *o =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:{s:s}, s:[s,s,s,s]}", "ociVersionMin", "1.0.0",
                  "ociVersionMax", SPEC_VERSION, "hooks", hook_names(), "mountOptions",
                  names(spec_mount_option_names), "linux", linux_features(), "annotations",
                  "dev.picket.version", PICKET_VERSION_STRING, "potentiallyUnsafeConfigAnnotations",
                  "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id",
                  "io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.SandboxID");
    CLEANUP_FREE char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
    json_decref(o);
    return text && puts(text) >= 0 ? 0 : EXIT_FAILURE;
}
