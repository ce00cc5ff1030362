/*
 * picket doctor: tries each thing Picket needs of the host, says in plain words what is there, and for what is missing
 * what to do about it. Exit status 0 when everything is there.
 */
#include "base/cleanup.h"
#include "host/mounts.h"
#include "host/namespaces.h"
#include "runtime/command.h"
#include "runtime/error.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MMAP_MIN_ADDR_NEEDED 65536
#define NOFILE_NEEDED 1024
#define HWCAP2_FSGSBASE_BIT 2

struct check {
    const char *what;   /* what is needed */
    bool (*works)(void);
    const char *remedy; /* when it does not */
};

/* ---- the checks ---- */

static long read_number(const char *path, long missing)
{
    FILE *f = fopen(path, "re");
    long value;
    if (!f)
        return missing;
    if (fscanf(f, "%ld", &value) != 1)
        value = missing;
    fclose(f);
    return value;
}

/* Runs `inside` in fresh namespaces, ids mapped, and says whether it succeeded. */
static bool try_in_namespaces(bool (*inside)(void))
{
    int sync[2];
    if (pipe2(sync, O_CLOEXEC) < 0)
        return false;
    pid_t pid = host_clone_namespaces();
    if (pid == 0) {
        char go;
        close(sync[1]);
        _exit(read(sync[0], &go, 1) == 1 && inside() ? 0 : 1);
    }
    close(sync[0]);
    bool mapped = pid > 0 && host_map_ids(pid) == 0 && write(sync[1], "", 1) == 1;
    close(sync[1]);
    int status = 1;
    if (pid > 0)
        waitpid(pid, &status, 0);
    return mapped && status == 0;
}

static bool always(void)
{
    return true;
}

static bool check_namespaces(void)
{
    return try_in_namespaces(always);
}

static bool clone_root_tree(void)
{
    return host_clone_tree("/", true) >= 0;
}

static bool check_mount_trees(void)
{
    return try_in_namespaces(clone_root_tree);
}

static bool empty_root(void)
{
    return host_empty_root() == 0;
}

static bool check_empty_root(void)
{
    return try_in_namespaces(empty_root);
}

static bool seccomp_has(uint32_t action)
{
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool check_seccomp(void)
{
    return seccomp_has(SECCOMP_RET_TRAP) && seccomp_has(SECCOMP_RET_KILL_PROCESS);
}

static bool check_user_notification(void)
{
    return seccomp_has(SECCOMP_RET_USER_NOTIF);
}

static bool check_memfd(void)
{
    CLEANUP_FD int fd = memfd_create("picket-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd >= 0;
}

static bool check_openat2(void)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    CLEANUP_FD int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
    return fd >= 0;
}

/* Of a child, as the kernel does it: Yama and its like forbid strangers, not children. */
static bool check_process_vm(void)
{
    static char from[] = "picket", to[sizeof from];
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    struct iovec local = {to, sizeof to}, remote = {from, sizeof from};
    bool ok = pid > 0 && process_vm_readv(pid, &local, 1, &remote, 1, 0) == sizeof from;
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return ok && memcmp(from, to, sizeof from) == 0;
}

static bool check_fsgsbase(void)
{
    return getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT;
}

static bool check_mmap_min_addr(void)
{
    return read_number("/proc/sys/vm/mmap_min_addr", 0) <= MMAP_MIN_ADDR_NEEDED;
}

static bool check_nofile(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= NOFILE_NEEDED;
}

/* ---- what to say ---- */

static const struct check checks[] = {
    {"namespaces (user, pid, mount, network, IPC, UTS)", check_namespaces,
     "as an ordinary user, allow user namespaces: sysctl -w user.max_user_namespaces=10000, "
     "kernel.unprivileged_userns_clone=1 (Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu); "
     "inside a container, start it with these allowed"},
    {"detached mount trees (open_tree, mount_setattr)", check_mount_trees,
     "needs Linux 5.12 or newer, and a container engine that does not forbid mount calls"},
    {"an empty root for the kernel process (tmpfs, pivot_root)", check_empty_root,
     "needs a root file system that is not the initial ramfs, and mount calls allowed"},
    {"seccomp filters (TRAP, KILL_PROCESS)", check_seccomp, "needs a host kernel with CONFIG_SECCOMP_FILTER"},
    {"seccomp user notification", check_user_notification, "needs Linux 5.0 or newer"},
    {"memfd_create", check_memfd, "needs CONFIG_MEMFD_CREATE, or a container engine that allows the call"},
    {"openat2", check_openat2, "needs Linux 5.6 or newer, or a container engine that allows the call"},
    {"process_vm_readv on a child", check_process_vm,
     "needs CONFIG_CROSS_MEMORY_ATTACH, and kernel.yama.ptrace_scope of at most 1"},
    {"FSGSBASE (the rdfsbase instruction)", check_fsgsbase,
     "needs a CPU from about 2013 on, Linux 5.9 or newer, and no 'nofsgsbase' on the host's command line"},
    {"low memory for patched calls (vm.mmap_min_addr <= 65536)", check_mmap_min_addr,
     "sysctl -w vm.mmap_min_addr=65536"},
    {"open files (hard limit of 1024 or more)", check_nofile, "raise it: ulimit -Hn 4096"},
};

int cmd_doctor(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        puts("Usage: picket doctor\n\nSays whether this host can run Picket, and what is missing.");
        return strcmp(argv[1], "--help") == 0 ? 0 : EXIT_PICKET;
    }
    unsigned missing = 0;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        bool ok = checks[i].works();
        printf("%-7s %s\n", ok ? "ok" : "MISSING", checks[i].what);
        if (!ok)
            printf("        -> %s\n", checks[i].remedy);
        missing += !ok;
    }
    if (missing)
        printf("\nThis host cannot run Picket yet: %u of %zu requirements are missing.\n", missing, ARRAY_SIZE(checks));
    else
        puts("\nThis host can run Picket.");
    return missing ? 1 : 0;
}
