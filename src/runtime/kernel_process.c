/* The kernel process: cloned into fresh namespaces, told when its ids are mapped, and exec'd. */
#include "runtime/kernel_process.h"
#include "base/cleanup.h"
#include "host/namespaces.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNEL_NAME "picket-kernel"
#define FD_SHELF 128 /* where descriptors wait until their final numbers are free */

/* Next to this program (a build directory), else where it is installed. O_PATH, so that it can be
 * exec'd from wherever the root is by then. */
static int open_kernel(struct error *err)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - sizeof "/" KERNEL_NAME);
    if (len > 0) {
        path[len] = '\0';
        char *slash = strrchr(path, '/');
        strcpy(slash ? slash + 1 : path, KERNEL_NAME);
        int fd = open(path, O_PATH | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    int fd = open(PICKET_LIBEXECDIR "/" KERNEL_NAME, O_PATH | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    return error_set(err, EXIT_PICKET,
                     "cannot find " KERNEL_NAME
                     ", neither beside picket nor in " PICKET_LIBEXECDIR);
}

static int shelve(int fd)
{
    if (fd < 0)
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fcntl(fd, F_DUPFD_CLOEXEC, FD_SHELF);
}

_Noreturn static void child_main(int program, int control, int listener, int log, int broker)
{
    char go;
    int fds[DONATED_END - DONATED_CONTROL];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(control, &go, 1) != 1) /* the ids are mapped, or the parent is gone */
        _exit(EXIT_PICKET);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int err = geteuid() ? host_keep_capabilities() : 0;
    fds[0] = shelve(control);
    fds[DONATED_LOG - DONATED_CONTROL] = shelve(log);
    fds[DONATED_LISTENER - DONATED_CONTROL] = shelve(listener);
    fds[DONATED_BROKER - DONATED_CONTROL] = shelve(broker);
    program = shelve(program);
    int null = shelve(-1);
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] < 0 || dup2(fds[i], DONATED_CONTROL + (int)i) < 0)
            _exit(EXIT_PICKET);
    if (err == 0 && program >= 0)
        fexecve(program, (char *[]){(char *)KERNEL_NAME, NULL}, (char *[]){NULL});
    dprintf(
        DONATED_CONTROL,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":%d,\"message\":\"cannot run " KERNEL_NAME
        ": %s\"}}\n",
        err ? err : -errno, strerror(err ? -err : errno));
    _exit(EXIT_PICKET);
}

int kernel_process_start(int listener, int log, int broker, struct kernel_process *ret, struct error *err)
{
    int pair[2];
    CLEANUP_FD int program = open_kernel(err);
    if (program < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(err, EXIT_PICKET, "cannot make a socket: %s", strerror(errno));
    CLEANUP_FD int ours = pair[0];
    CLEANUP_FD int theirs = pair[1];
    pid_t pid = host_clone_namespaces();
    if (pid == 0) {
        close(ours);
        child_main(program, theirs, listener, log, broker);
    }
    if (pid < 0)
        return error_set(err, EXIT_PICKET,
                         "the host forbids a sandbox's namespaces: %s (see 'picket doctor')",
                         strerror(-pid));
    int e = host_map_ids(pid);
    if (e == 0 && send(ours, "\n", 1, MSG_NOSIGNAL) != 1)
        e = -errno;
    if (e) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        return error_set(err, EXIT_PICKET, "cannot map ids into the sandbox: %s", strerror(-e));
    }
    *ret = (struct kernel_process){.pid = pid, .control = TAKE_FD(ours)};
    return 0;
}
