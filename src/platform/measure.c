/*
 * What the host knows of stub processes: how much memory is resident, and where. It comes from a
 * procfs of the sandbox's own pid namespace, which shows its processes and nothing else, opened
 * before lock-down. Some hosts do not let an unprivileged user mount one: then nothing is known,
 * and everything here fails with -EOPNOTSUPP.
 *
 * Each look costs several host calls: on request only, never on a hot path.
 */
#include "base/cleanup.h"
#include "platform/internal.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_SIZE (16 * 1024UL)
#define MAX_SIZE (64UL << 20) /* smaps of a process with as many areas as there may be */

/* How much rather than the kernel process the host's OOM killer takes any stub, of 1000. */
#define OOM_MARGIN 100

static struct {
    int fd;
    int oom_base; /* oom_score_adj of stubs whose guest has 0 */
} proc = {.fd = -1};

void platform_set_proc(int fd)
{
    proc.fd = fd;
}

static int open_file(struct address_space *as, const char *file, int flags)
{
    char path[64];
    struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
    if (proc.fd < 0)
        return -EOPNOTSUPP;
    if (atomic_load(&as->dead))
        return -ESRCH;
    snprintf(path, sizeof(path), "%d/%s", as->pid, file);
    int fd = (int)syscall(SYS_openat2, proc.fd, path, &how, sizeof(how));
    return fd < 0 ? -errno : fd;
}

int platform_proc_text(struct address_space *as, const char *file, char **ret, size_t *ret_len)
{
    CLEANUP_FD int fd = open_file(as, file, O_RDONLY);
    size_t size = FIRST_SIZE, len = 0;
    if (fd < 0)
        return fd;
    char *text = malloc(size + 1);
    while (text) {
        ssize_t n = read(fd, text + len, size - len);
        if (n <= 0)
            break;
        len += (size_t)n;
        if (len < size)
            continue;
        char *grown = size < MAX_SIZE ? realloc(text, size * 2 + 1) : NULL;
        if (!grown)
            break;
        text = grown;
        size *= 2;
    }
    if (!text)
        return -ENOMEM;
    text[len] = '\0';
    *ret = text;
    *ret_len = len;
    return 0;
}

/* The number of kilobytes behind "name:", or 0. */
static uint64_t field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

int platform_measure(struct address_space *as, struct memory_usage *ret)
{
    CLEANUP_FREE char *text = NULL;
    size_t len;
    int err = platform_proc_text(as, "status", &text, &len);
    if (err)
        return err;
    ret->anonymous = field(text, "\nRssAnon:");
    ret->file = field(text, "\nRssFile:");
    ret->shared = field(text, "\nRssShmem:");
    ret->peak = field(text, "\nVmHWM:");
    ret->swap = field(text, "\nVmSwap:");
    ret->tables = field(text, "\nVmPTE:");
    return 0;
}

ssize_t platform_pagemap(struct address_space *as, uaddr_t addr, uint64_t *entries, size_t count)
{
    CLEANUP_FD int fd = open_file(as, "pagemap", O_RDONLY);
    if (fd < 0)
        return fd;
    ssize_t n = pread(fd, entries, count * sizeof(*entries),
                      (off_t)(addr / PAGE_SIZE * sizeof(*entries)));
    return n < 0 ? -errno : n / (ssize_t)sizeof(*entries);
}

static int write_file(struct address_space *as, const char *file, const char *text)
{
    CLEANUP_FD int fd = open_file(as, file, O_WRONLY);
    if (fd < 0)
        return fd;
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int platform_clear_refs(struct address_space *as, int what)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", what);
    return write_file(as, "clear_refs", text);
}

/* ---- who dies first when the host runs out of memory ---- */

int measure_oom_base(int own)
{
    proc.oom_base = MIN(own + OOM_MARGIN, 1000);
    return proc.oom_base;
}

/* A guest's 0 to 1000 is spread over what is left above the base; below 0 it stays at the base,
 * because nobody in a sandbox is safer than its kernel. */
void platform_set_oom(struct address_space *as, int guest_adj)
{
    char text[16];
    int adj = proc.oom_base + MAX(guest_adj, 0) * (1000 - proc.oom_base) / 1000;
    snprintf(text, sizeof(text), "%d", adj);
    (void)write_file(as, "oom_score_adj", text); /* where it cannot be told, the host decides alone */
}
