/* Drives the platform without the kernel: loads guest.c's program and serves a handful of calls. */
#include "base/log.h"
#include "platform/platform.h"
#include "sched/wait.h"
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic int exited;
static struct wait_queue exits = WAIT_QUEUE_INIT(exits);
static void serve(void *arg);

static uint64_t load(struct context *ctx, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    static char image[1 << 20];
    if (read(fd, image, sizeof(image)) < 64)
        abort();
    Elf64_Ehdr *eh = (void *)image;
    Elf64_Phdr *ph = (void *)(image + eh->e_phoff);
    for (int i = 0; i < eh->e_phnum; i++, ph++) {
        if (ph->p_type != PT_LOAD)
            continue;
        uint64_t start = align_down(ph->p_vaddr, PAGE_SIZE),
                 end = align_up(ph->p_vaddr + ph->p_memsz, PAGE_SIZE);
        if (!(ph->p_flags & PF_W)) {
            struct patch_file *pf;
            int patched = -1;
            if (ph->p_flags & PF_X && patch_file_get(1, 2, 3, &pf) == 0) {
                patched =
                    patch_map(ctx, pf, fd, start, end - start, align_down(ph->p_offset, PAGE_SIZE));
                patch_file_put(pf);
            }
            int64_t r = order_mmap_fd(ctx, start, end - start, PROT_READ | PROT_EXEC,
                                      MAP_PRIVATE | MAP_FIXED, patched < 0 ? fd : patched,
                                      align_down(ph->p_offset, PAGE_SIZE), false);
            if (r != (int64_t)start)
                printf("mmap_fd: %ld\n", r);
            continue;
        }
        int64_t r = order_host(ctx, SYS_mmap,
                               (uint64_t[6]){start, end - start, 7,
                                             MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1ULL, 0});
        if (r != (int64_t)start)
            printf("mmap: %ld\n", r);
        platform_copy_out(ctx, ph->p_vaddr, image + ph->p_offset, ph->p_filesz);
    }
    close(fd);
    return eh->e_entry;
}

static int64_t do_write(struct context *ctx, const uint64_t *args)
{
    char *b = malloc(args[2] + 1);
    ssize_t n = platform_copy_in(ctx, b, args[1], args[2]);

    if (n != (ssize_t)args[2])
        n = -EFAULT;
    else if (args[0] == 1 && write(1, b, (size_t)n) < 0)
        n = -EIO;
    else if (args[0] == 2)
        for (ssize_t i = 0; i < n; i++)
            if (b[i] != (char)i) {
                printf("bad byte at %ld\n", i);
                break;
            }
    free(b);
    return n;
}

static void *kicker(void *arg)
{
    usleep(20000);
    platform_kick(arg);
    return NULL;
}

static int64_t do_fork(struct context *ctx)
{
    struct address_space *as;
    struct context *child;
    pid_t pid;
    int err = platform_fork(ctx, &as, &child);

    if (err < 0)
        return err;
    pid = platform_host_pid(as);
    context_set_result(child, 0);
    context_set_regs_dirty(child);
    exited = 0;
    fiber_start(fiber_new("child", serve, child));
    return pid;
}

static int64_t do_thread(struct context *ctx, const uint64_t *args)
{
    struct context *child;
    struct regs n = *context_regs(ctx);
    pid_t tid;
    int err;

    n.rsp = args[1];
    n.rip = args[2];
    n.rax = 0;
    err = platform_thread(ctx, &n, false, 0, &child);
    if (err < 0)
        return err;
    tid = context_host_tid(child);
    fiber_start(fiber_new("thread", serve, child));
    return tid;
}

static int64_t call(struct context *ctx, const struct event *ev, bool *gone)
{
    const uint64_t *args = ev->args;
    char path[256];
    pthread_t t;

    switch (ev->nr) {
    case SYS_write:
        return do_write(ctx, args);
    case SYS_read:
        platform_copy_out(ctx, args[1], "0123456789", 10);
        return 10;
    case SYS_getpgid:
        if (args[0] == 77)
            pthread_create(&t, NULL, kicker, ctx);
        return 42;
    case SYS_open:
        printf("open %ld %s\n", (long)platform_copy_string(ctx, path, args[0], sizeof(path)), path);
        return -ENOENT;
    case SYS_fork:
        return do_fork(ctx);
    case SYS_wait4:
        wait_event(&exits, exited);
        return exited - 1;
    case SYS_clone:
        return do_thread(ctx, args);
    case SYS_exit:
        *gone = true;
        return 0;
    case SYS_exit_group:
        *gone = true;
        exited = (int)args[0] + 1;
        wake_all(&exits);
        return 0;
    }
    printf("call %ld?\n", (long)ev->nr);
    return -ENOSYS;
}

extern uint64_t flag_address;

static void serve(void *arg)
{
    struct context *ctx = arg;
    struct event ev;
    bool gone = false;
    int zero = 0;

    while (!gone) {
        platform_run(ctx, &ev);
        switch (ev.kind) {
        case EVENT_SYSCALL:
            context_set_result(ctx, call(ctx, &ev, &gone));
            break;
        case EVENT_ORDER_FAILED:
            context_set_result(ctx, -EFAULT);
            break;
        case EVENT_KICK:
            printf("kick at %lx\n", context_regs(ctx)->rip);
            platform_copy_out(ctx, flag_address, &zero, sizeof(zero));
            break;
        case EVENT_FAULT:
            printf("fault %d code %d addr %lx\n", ev.fault.signo, ev.fault.code, ev.fault.addr);
            gone = true;
            exited = 140;
            break;
        case EVENT_DEAD:
            printf("dead\n");
            gone = true;
            break;
        }
    }
    context_exit(ctx);
}

uint64_t flag_address;
static const char *program;

static void first(void *arg)
{
    struct address_space *as;
    struct context *ctx;
    uint64_t stack = 0x10000000;
    int err = platform_start();

    if (err == 0)
        err = platform_new(&as, &ctx);
    printf("new %d pid %d vdso %lx\n", err, platform_host_pid(as), platform_vdso());
    context_regs(ctx)->rip = load(ctx, program);
    order_defer_host(
        ctx, SYS_mmap,
        (uint64_t[6]){stack, 1 << 20, 3, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1ULL, 0}, false);
    context_regs(ctx)->rsp = stack + (1 << 20) - 8;
    serve(ctx);
    printf("exit %d\n", exited - 1);
    sched_stop(0);
}

int main(int argc, char **argv)
{
    int err = sched_init(0);

    setvbuf(stdout, NULL, _IONBF, 0);
    log_open(2, LOG_DEBUG);
    program = argv[1];
    flag_address = strtoul(argv[2], NULL, 16);
    if (err == 0)
        err = platform_init();
    if (err) {
        printf("init %d\n", err);
        return 1;
    }
    fiber_start(fiber_new("first", first, NULL));
    return sched_run();
}
