/*
 * Starting the platform: the template stub process, from which all others are forked.
 *
 * It is executed from a memfd with the control socket, event descriptors and nothing else. Once it
 * runs, the kernel reads where the host put its vDSO, writes the instructions into the window of
 * its context 0, and sends the contexts' memfd, whereupon the stub prepares itself (stub/start.c)
 * and rings.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "platform/patch.h"
#include "stub/filter.h"
#include <cpuid.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE 2
#endif

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif

extern const char stub_image[], stub_image_end[];

static struct {
    struct context *ctx;
    int listener;
    uaddr_t vdso;
    uint64_t entry;
    uint64_t xfeatures;
    size_t xsave_size;
} template = {.listener = -1};

uaddr_t platform_vdso(void)
{
    return template.vdso;
}

size_t platform_xsave_size(void)
{
    return template.xsave_size;
}

uint64_t platform_xsave_features(void)
{
    return template.xfeatures;
}

/* Tile registers: no process has them before it asks (arch_prctl), and with them a signal frame
 * would be 11 KiB. */
#define XFEATURES_ON_REQUEST (3ULL << 17)

/* The size of an XSAVE image in the standard format with these components. */
static size_t image_size(uint64_t features)
{
    size_t size = 512 + 64; /* legacy area and header */
    uint32_t a, b, c, d;

    for (unsigned i = 2; i < 63; i++)
        if (features >> i & 1 && __get_cpuid_count(13, i, &a, &b, &c, &d))
            size = MAX(size, (size_t)b + a);
    return size;
}

static int check_processor(void)
{
    uint32_t a, b, c, d;

    if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE))
        return -EOPNOTSUPP;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return -EOPNOTSUPP;
    if (!__get_cpuid_count(13, 0, &a, &b, &c, &d))
        return -EOPNOTSUPP;
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    template.xfeatures = ((uint64_t)hi << 32 | lo) & ~XFEATURES_ON_REQUEST;
    template.xsave_size = image_size(template.xfeatures);
    return 0;
}

/* ---- the child ---- */

struct launch {
    char oom[16]; /* oom_score_adj for it and all that come from it */
    int image, control, event_fds[STUB_MAX_EVENT_FDS];
    unsigned event_fd_count;
};

/* Between vfork() and exec: host calls only. */
static _Noreturn void exec_stub(const struct launch *l)
{
    static char *const argv[] = {"picket-stub", NULL}, *const envp[] = {NULL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    (void)!write(oom, l->oom, strlen(l->oom)); /* where it cannot be told, the host decides alone */
    setsid();
    personality(ADDR_NO_RANDOMIZE);
    bool ok = dup2(l->control, STUB_CONTROL_FD) >= 0;
    for (unsigned i = 0; i < l->event_fd_count; i++)
        ok = dup2(l->event_fds[i], STUB_EVENT_FD + (int)i) >= 0 && ok;
    int first = STUB_EVENT_FD + (int)l->event_fd_count;
    ok = syscall(SYS_close_range, first, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) == 0 && ok;
    if (ok)
        syscall(SYS_execveat, l->image, "", argv, envp, AT_EMPTY_PATH);
    _exit(126);
}

static int image_new(void)
{
    size_t len = (size_t)(stub_image_end - stub_image);
    int fd = memfd_create("picket-stub", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (write(fd, stub_image, len) != (ssize_t)len) {
        int err = errno ? -errno : -EIO;
        close(fd);
        return err;
    }
    return fd;
}

/* A duplicate that is out of the way of the stub's descriptors. */
static int high_fd(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STUB_FIRST_FREE_FD + STUB_MAX_EVENT_FDS);

    return high < 0 ? -errno : high;
}

static int own_oom_adj(void)
{
    char text[16] = {0};
    CLEANUP_FD int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return 0;
    return atoi(text);
}

static int launch(struct launch *l)
{
    snprintf(l->oom, sizeof(l->oom), "%d", measure_oom_base(own_oom_adj()));
    pid_t pid = vfork();

    if (pid == 0)
        exec_stub(l);
    return pid < 0 ? -errno : pid;
}

static int launch_template(int control, unsigned *ret_event_fds)
{
    int fds[STUB_MAX_EVENT_FDS];
    struct launch l = {.event_fd_count = doorbell_eventfds(fds)};
    CLEANUP_FD int image = image_new();
    CLEANUP_FD int high_image = -1, high_control = -1;
    int ret = 0;

    if (image < 0)
        return image;
    l.image = high_image = high_fd(image);
    l.control = high_control = high_fd(control);
    if (high_image < 0 || high_control < 0)
        return -EMFILE;
    for (unsigned i = 0; i < l.event_fd_count; i++) {
        l.event_fds[i] = high_fd(fds[i]);
        if (l.event_fds[i] < 0)
            ret = -EMFILE;
    }
    if (ret == 0)
        ret = launch(&l);
    for (unsigned i = 0; i < l.event_fd_count; i++)
        cleanup_fd(&l.event_fds[i]);
    *ret_event_fds = l.event_fd_count;
    return ret;
}

/* ---- instructions for it ---- */

/* The child's number in the pid namespace that the mounted /proc belongs to: that is the caller's,
 * not ours. */
static int pid_in_proc(pid_t pid, int *ret_pid)
{
    char path[64], line[128];
    CLEANUP_FD int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int found = 0;

    if (pidfd < 0)
        return -errno;
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
    FILE *f = fopen(path, "re");
    if (!f)
        return -errno;
    while (!found && fgets(line, sizeof(line), f))
        found = sscanf(line, "Pid: %d", ret_pid) == 1;
    fclose(f);
    return found ? 0 : -ESRCH;
}

/* Plans the move of vvar and vDSO: distances between them are kept, the code depends on them. */
static int plan_moves(pid_t pid, struct stub_setup *setup)
{
    char path[64], line[512];
    uint64_t base = 0, from, to;
    int shown;
    FILE *f;

    int err = pid_in_proc(pid, &shown);
    if (err)
        return err;
    snprintf(path, sizeof(path), "/proc/%d/maps", shown);
    f = fopen(path, "re");
    if (!f)
        return -errno;
    while (fgets(line, sizeof(line), f)) {
        bool vdso = strstr(line, "[vdso]"), vvar = strstr(line, "[vvar");
        if ((!vdso && !vvar) || sscanf(line, "%lx-%lx", &from, &to) != 2 ||
            setup->move_count == STUB_MAX_MOVES)
            continue;
        if (!base)
            base = from;
        setup->moves[setup->move_count].from = from;
        setup->moves[setup->move_count].size = to - from;
        setup->moves[setup->move_count++].to = STUB_VDSO + (from - base);
        if (vdso)
            template.vdso = STUB_VDSO + (from - base);
    }
    fclose(f);
    return 0;
}

static int write_setup(struct context *ctx, unsigned event_fds)
{
    struct stub_setup *setup = (struct stub_setup *)ctx->window;
    int err = plan_moves(ctx->as->pid, setup);

    if (err < 0)
        return err;
    setup->values.event_fds = event_fds;
    setup->values.xfeatures = template.xfeatures;
    setup->filter_len = (uint32_t)stub_filter_build(
        (struct sock_filter *)(ctx->window + sizeof(*setup)), event_fds);
    return 0;
}

/* No scheduler runs yet, so this looks now and then. */
static int wait_until_ready(struct context *ctx)
{
    for (unsigned i = 0; i < 100000; i++) {
        int status;
        if (__atomic_load_n(&ctx->shared->state, __ATOMIC_ACQUIRE) == STATE_RING)
            return 0;
        if (waitpid(ctx->as->pid, &status, WNOHANG | __WALL) == ctx->as->pid) {
            log_error("platform: the template stub failed: status 0x%x", (unsigned)status);
            return -EIO;
        }
        usleep(20);
    }
    return -ETIMEDOUT;
}

/* Takes the listener of the filter's notifications out of the template. */
static int take_listener(struct context *ctx)
{
    int64_t remote = ctx->orders[0].result;
    CLEANUP_FD int pidfd = (int)syscall(SYS_pidfd_open, ctx->as->pid, 0);

    if (pidfd < 0)
        return -errno;
    template.listener = (int)syscall(SYS_pidfd_getfd, pidfd, (int)remote, 0);
    if (template.listener < 0)
        return -errno;
    order_defer_host(ctx, SYS_close, (uint64_t[6]){(uint64_t)remote}, false);
    /* The forking thread and the one that answers take turns: on one CPU if the host can
     * (Linux 6.6). */
    (void)ioctl(template.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
                SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    return 0;
}

static int prepare(struct context *ctx, unsigned event_fds)
{
    int err = write_setup(ctx, event_fds);

    if (err == 0) {
        ctx->shared->state = STATE_NEW;
        err = order_send_fds(ctx, &ctx->as->memfd, 1);
    }
    if (err == 0)
        err = wait_until_ready(ctx);
    template.entry = (uint64_t)ctx->orders[1].result;
    return err < 0 ? err : take_listener(ctx);
}

/* Every process takes two descriptors. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int platform_init(void)
{
    struct address_space *as;
    CLEANUP_FD int stub_end = -1;
    unsigned event_fds = 0;
    int sockets[2], pid, err = check_processor();

    if (err < 0)
        return err;
    raise_descriptor_limit();
    err = patch_table_init();
    if (err == 0)
        err = space_new(&as);
    if (err < 0)
        return err;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return -errno;
    as->control = sockets[0];
    stub_end = sockets[1];
    space_take_given_slot(as, 0);
    err = context_new(as, 0, &template.ctx);
    if (err < 0)
        return err;
    pid = launch_template(stub_end, &event_fds);
    if (pid < 0)
        return pid;
    template.ctx->tid = pid;
    template.ctx->leader = true;
    err = space_register(as, pid);
    return err < 0 ? err : prepare(template.ctx, event_fds);
}

int platform_start(void)
{
    int err = reaper_start(template.listener, template.ctx->as->pid);

    return err < 0 ? err : pool_start(template.ctx, template.entry);
}
