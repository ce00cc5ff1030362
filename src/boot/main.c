/*
 * picket-kernel: the process that is a sandbox's kernel. The runtime starts it inside fresh namespaces with the
 * descriptors of control/protocol.h; what it is to do comes through the boot connection.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/log.h"
#include "boot/boot.h"
#include "control/protocol.h"
#include "fs/cgroup/cgroup.h"
#include "control/sandbox.h"
#include "fs/dev/dev.h"
#include "host/lockdown.h"
#include "fs/files.h"
#include "fs/overlay/overlay.h"
#include "host/mounts.h"
#include "fs/hostfs/hostfs.h"
#include "fs/proc/proc.h"
#include "fs/sysfs/sysfs.h"
#include "fs/tmpfs/tmpfs.h"
#include "ipc/mqueue.h"
#include "ipc/namespace.h"
#include "kernel/task.h"
#include "net/broker/broker.h"
#include "net/inet/inet.h"
#include "net/netlink/netlink.h"
#include "net/netns.h"
#include "net/unix/unix.h"
#include "platform/platform.h"
#include "sched/fiber.h"
#include "syscalls/dispatch.h"
#include "vfs/vfs.h"
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct boot boot = {.listener = -1};

void boot_fail(const char *what, int error)
{
    char message[512];
    snprintf(message, sizeof message, "%s: %s", what, strerror(-error));
    boot_answer(boot.wire.fd, boot.request.id, error, message);
    _exit(EXIT_PICKET);
}

/* ---- steps of the init table ---- */

/* Whoever started us and is gone does not wait for an answer; receiving sees the end of the socket then. */
static int receive_request(void)
{
    uint64_t seed = 0;
    wire_init(&boot.wire, DONATED_CONTROL);
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return -EIO;
    hash_init(seed);
    json_object_seed((size_t)seed); /* it would look for a source of its own later, when there is none */
    if (boot_receive(&boot.wire, &boot.request) < 0)
        _exit(EXIT_PICKET);
    if (boot.request.ends_with_boot)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return 0;
}

static int set_up_process(void)
{
    /* The terminal's signals are for the guest's own terminal to make; those of broken pipes are results of calls. */
    static const int ignored[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGHUP};
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        signal(ignored[i], SIG_IGN);
    mallopt(M_ARENA_MAX, 2); /* an idle sandbox is to stay small */
    log_open(DONATED_LOG, boot.request.debug ? LOG_DEBUG : boot.request.strace ? LOG_INFO : LOG_WARN);
    return 0;
}

static int start_scheduler(void)
{
    return sched_init(0);
}

static int register_filesystems(void)
{
    tmpfs_register();
    mqueue_register();
    hostfs_init();
    dev_init();
    sysfs_init(&boot.facts);
    unix_init();
    inet_init();
    cgroupfs_init();
    overlay_register();
    netlink_init();
    mqueue_post = netlink_post;
    int err = netns_init();
    if (!err && boot.request.host_network)
        err = broker_backend_init(DONATED_BROKER);
    if (!err)
        err = ipc_init();
    if (!err)
        err = proc_init(&boot.facts);
    return err ? err : files_init();
}

static int set_up_syscalls(void)
{
    syscalls_init(boot.request.strace);
    return 0;
}

static int lock_down(void)
{
    enum host_access access = boot.request.host_write ? HOST_ACCESS_WRITE : HOST_ACCESS_READ;
    sandbox.rootless = geteuid() != 0;
    umask(0); /* modes of files made on the host come from guests, whose own masks have been applied */
    int proc = host_own_proc();
    if (proc < 0)
        log_debug("boot: no procfs of our own: resident memory is not known");
    platform_set_proc(proc);
    int err = host_empty_root();
    if (!err)
        err = host_drop_privileges(access);
    if (!err)
        err = host_filter_install(access, false);
    return err;
}

static int queue_launch(void)
{
    struct fiber *f = fiber_new("launch", boot_launch, NULL);
    if (!f)
        return -ENOMEM;
    fiber_start(f);
    return 0;
}

/* In this order. Everything that needs a path of the host comes before lock-down. */
static const struct {
    const char *name;
    int (*run)(void);
} init_table[] = {
    {"receive the boot message", receive_request},
    {"set up the process", set_up_process},
    {"look at the machine", boot_facts},
    {"start the scheduler", start_scheduler},
    {"start the platform", platform_init},
    {"set up the VFS", vfs_init},
    {"set up the file systems", register_filesystems},
    {"set up the kernel", kernel_init},
    {"set up the system calls", set_up_syscalls},
    {"take over the descriptors", boot_descriptors},
    {"lock down", lock_down},
    {"start the first fiber", queue_launch},
};

int main(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(init_table); i++) {
        int err = init_table[i].run();
        if (err) {
            char what[80];
            snprintf(what, sizeof what, "cannot %s", init_table[i].name);
            boot_fail(what, err);
        }
    }
    return sched_run();
}
