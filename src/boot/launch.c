/*
 * The first fiber: starts the first process, then serves the control channel: signals in, the end of the process out.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "boot/boot.h"
#include "control/channel.h"
#include "control/protocol.h"
#include "fs/hostfile/hostfile.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "platform/platform.h"
#include "vfs/vfs.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- while it runs ---- */

static void forward_signal(void *arg, int signo, bool foreground)
{
    (void)arg;
    struct process *p = boot.first;
    siginfo_t info = {.si_signo = signo, .si_code = SI_USER}; /* from outside: nobody the sandbox knows */
    if (signo == SIGWINCH || signo == SIGCONT)
        hostfile_winsize_changed();
    if (signo == SIGWINCH)
        return;
    if (foreground && hostfile_signal_foreground(signo))
        return;
    if (foreground)
        signal_send_group(p->group, signo, NULL);
    else
        signal_send_process(p, signo, &info);
}

/* The command line is gone, and with it the reason to be. */
static void runtime_gone(void *arg)
{
    (void)arg;
    _exit(EXIT_PICKET);
}

static void first_exited(void *arg, int wait_status)
{
    (void)arg;
    hostfile_drain();
    channel_send_exit(boot.control, wait_status);
}

static void first_stopped(void *arg, int signo)
{
    (void)arg;
    channel_send_stopped(boot.control, signo);
}

/* ---- starting ---- */

static int set_up_fs(const struct path *root, struct fs_context **ret)
{
    const struct start_request *r = boot.request;
    CLEANUP_PATH_REF struct path wd = {0};
    struct fs_context *fs;
    int err = path_lookup_in(root, r->wd, WALK_FOLLOW | WALK_DIRECTORY, &wd);
    if (err && !r->wd_optional)
        return err;
    err = fs_context_new(boot.mounts, &fs);
    if (err)
        return err;
    fs->umask = r->umask;
    if (wd.dentry)
        fs_set_cwd(fs, &wd);
    *ret = fs;
    return 0;
}

_Noreturn static void fail(const char *what, const char *name, int error, int exit_status)
{
    char message[512];
    snprintf(message, sizeof message, "%s '%.300s': %s", what, name, strerror(-error));
    channel_send_error(boot.control, error, exit_status, message);
    _exit(EXIT_PICKET);
}

static void start_first(void)
{
    const struct start_request *r = boot.request;
    CLEANUP_PATH_REF struct path root = {0};
    CLEANUP_FREE char *program = NULL;
    struct fs_context *fs;
    const struct cred *cred;
    const char *name = r->argv[0];

    mount_namespace_root(boot.mounts, &root);
    int err = boot_find_user(&root, &cred);
    if (err)
        fail("cannot run as user", r->user ? r->user : "", err, EXIT_PICKET);
    err = set_up_fs(&root, &fs);
    if (err)
        fail("cannot use working directory", r->wd, err, EXIT_PICKET);
    err = boot_find_program(&root, cred, &program);
    if (!err) {
        const struct first_process_args args = {
            .filename = program,
            .argv = r->argv,
            .envv = r->envv,
            .cred = cred,
            .fs = fs,
            .files = boot.files,
            .pid_ns = &root_pid_ns,
            .limits = &r->limits,
            .ignored_signals = r->ignored_signals,
            .hostname = r->hostname,
            .tty = hostfile_console(),
            .exited = first_exited,
            .stopped = first_stopped,
        };
        hostfile_own_console(cred->euid);
        err = process_start_first(&args, &boot.first);
        if (!err)
            hostfile_start_session(boot.first->pid);
    }
    if (err)
        fail("cannot run", name, err, err == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

void boot_launch(void *unused)
{
    (void)unused;
    int err = platform_start();
    if (err)
        boot_fail("cannot start the pool of address spaces", err);
    start_first();
    channel_send_started(boot.control);
    const struct channel_handler handler = {.signal = forward_signal, .closed = runtime_gone};
    channel_serve(boot.control, &handler);
}
