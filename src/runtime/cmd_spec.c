/* picket spec: writes a config.json to start from. */
#include "base/cleanup.h"
#include "runtime/command.h"
#include "runtime/options.h"
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct spec_options {
    const char *bundle, *file;
    bool rootless;
};

static const struct argp_option options[] = {
    {"bundle", 'b', "DIR", 0, "write it there (default: .)", 0},
    {"file", 'f', "FILE", 0, "its name (default: config.json)", 0},
    SWITCH("rootless", 'r', "for a user without privileges"),
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct spec_options *o = state->input;
    switch (key) {
    case 'b':
        o->bundle = arg;
        return 0;
    case 'f':
        o->file = arg;
        return 0;
    case 'r':
        o->rootless = options_switch(arg, state);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "spec takes no argument");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp spec_argp = {.options = options,
                                      .parser = parse,
                                      .doc = "Writes a config.json that runs a shell in ./rootfs."};

/* Written as it is read: the reader of this file sees the reader of that one. */
static const char template[] =
    "{\"ociVersion\":\"1.2.0\","
    "\"process\":{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"sh\"],"
    "\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/"
    "bin\",\"TERM=xterm\"],\"cwd\":\"/\","
    "\"capabilities\":{\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
    "\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
    "\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},"
    "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],\"noNewPrivileges\":"
    "true},"
    "\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"picket\","
    "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
    "\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
    "\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]},"
    "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
    "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}],"
    "\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},"
    "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":"
    "\"uts\"},{\"type\":\"mount\"}],"
    "\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\",\"/proc/"
    "latency_stats\","
    "\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/sys/firmware\",\"/proc/"
    "scsi\"],"
    "\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/"
    "sysrq-trigger\"]}}";

static void make_rootless(json_t *config)
{
    json_t *linux_part = json_object_get(config, "linux");
    json_array_append_new(json_object_get(linux_part, "namespaces"),
                          json_pack("{s:s}", "type", "user"));
    json_object_set_new(linux_part, "uidMappings",
                        json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID",
                                  (json_int_t)geteuid(), "size", 1));
    json_object_set_new(linux_part, "gidMappings",
                        json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID",
                                  (json_int_t)getegid(), "size", 1));
    json_object_del(linux_part, "resources");
}

int cmd_spec(int argc, char **argv)
{
    struct spec_options o = {.bundle = ".", .file = "config.json"};
    struct error err;
    char path[PATH_MAX];
    options_parse(&spec_argp, argc, argv, false, &o);
    bool fits = snprintf(path, sizeof path, "%s/%s", o.bundle, o.file) < (int)sizeof path;
    CLEANUP_FD int fd = fits ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    json_t *config = json_loads(template, 0, NULL);
    if (config && o.rootless)
        make_rootless(config);
    CLEANUP_FREE char *text = config ? json_dumps(config, JSON_INDENT(4)) : NULL;
    json_decref(config);
    if (fd >= 0 && text && dprintf(fd, "%s\n", text) > 0)
        return 0;
    (void)!error_set(&err, EXIT_FAILURE, "cannot write '%s': %s", path, strerror(errno));
    return error_report(&err);
}
