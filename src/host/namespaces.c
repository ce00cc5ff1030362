/* Fresh namespaces by one clone(2), and their id maps. */
#include "host/namespaces.h"
#include "base/cleanup.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t host_clone_namespaces(void)
{
    const unsigned long flags =
        CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD;
    pid_t pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    return pid < 0 ? -errno : pid;
}

static int write_proc(pid_t pid, const char *file, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* All ids that this user namespace itself has: in the initial one a single range, in a container perhaps several. */
static int map_all(pid_t pid, const char *file)
{
    char path[32], text[4096];
    snprintf(path, sizeof path, "/proc/self/%s", file);
    FILE *f = fopen(path, "re");
    if (!f)
        return -errno;
    size_t len = 0;
    unsigned inside, outside, count;
    while (len < sizeof text - 64 && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3)
        len += (size_t)snprintf(text + len, sizeof text - len, "%u %u %u\n", inside, inside, count);
    fclose(f);
    return len ? write_proc(pid, file, text) : -EINVAL;
}

static int map_one(pid_t pid, const char *file, unsigned id)
{
    char text[64];
    snprintf(text, sizeof text, "%u %u 1\n", id, id);
    return write_proc(pid, file, text);
}

int host_map_ids(pid_t pid)
{
    if (geteuid() == 0 && map_all(pid, "uid_map") == 0 && map_all(pid, "gid_map") == 0)
        return 0;
    /* A user may map only itself, and its groups only where setgroups(2) can no longer shed one. */
    int err = map_one(pid, "uid_map", geteuid());
    if (err == 0)
        err = write_proc(pid, "setgroups", "deny");
    return err ? err : map_one(pid, "gid_map", getegid());
}

int host_keep_capabilities(void)
{
    cap_t caps = cap_get_proc();
    if (!caps)
        return -ENOMEM;
    int err = 0;
    for (cap_value_t cap = 0; cap <= CAP_LAST_CAP && !err; cap++) {
        cap_flag_value_t permitted;
        if (cap_get_flag(caps, cap, CAP_PERMITTED, &permitted) == 0 && permitted == CAP_SET &&
            cap_set_flag(caps, CAP_INHERITABLE, 1, &cap, CAP_SET) < 0)
            err = -errno;
    }
    if (!err && cap_set_proc(caps) < 0)
        err = -errno;
    cap_free(caps);
    for (int cap = 0; cap <= CAP_LAST_CAP && !err; cap++)
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0 && errno != EPERM && errno != EINVAL)
            err = -errno;
    return err;
}
