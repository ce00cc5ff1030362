/* Calls about the machine: what only asks is answered, changes are refused to whoever may not make them. */
#include "each.h"
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/timex.h>

#define ioprio_set(w, i, p) syscall(SYS_ioprio_set, w, i, p)
#define ioprio_get(w, i) syscall(SYS_ioprio_get, w, i)

static void clocks(void)
{
    struct timex t = {0};
    HOLDS(adjtimex(&t) >= 0);
    IS(t.tick, 10000);
    IS(t.precision, 1);
    HOLDS(t.time.tv_sec - time(NULL) <= 1);
    t.modes = ADJ_OFFSET_SS_READ;
    HOLDS(adjtimex(&t) >= 0);
    t.modes = 0x8000;
    FAILS(adjtimex(&t), EINVAL);
    FAILS(adjtimex((void *)8), EFAULT);
    t.modes = 0;
    HOLDS(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
    FAILS(clock_adjtime(CLOCK_MONOTONIC, &t), EOPNOTSUPP);
    FAILS(clock_adjtime(12, &t), EINVAL);
    FAILS(clock_adjtime(CLOCK_REALTIME, (void *)8), EFAULT);
}

static void io_priorities(void)
{
    IS(ioprio_get(1, 0), 0);
    IS(ioprio_set(1, 0, 2 << 13 | 3), 0);
    IS(ioprio_get(1, 0), 2 << 13 | 3);
    IS(ioprio_get(1, getpid()), 2 << 13 | 3);
    pid_t pid = fork();
    if (pid == 0)
        _exit(ioprio_get(1, 0) == (2 << 13 | 3) ? 0 : 1);
    exits_with(pid, 0);
    IS(ioprio_set(1, 0, 3 << 13), 0);
    IS(ioprio_set(1, 0, 0), 0);
    FAILS(ioprio_set(1, 0, 1), EINVAL);
    FAILS(ioprio_set(1, 0, 4 << 13), EINVAL);
    FAILS(ioprio_set(0, 0, 2 << 13), EINVAL);
    FAILS(ioprio_set(4, 0, 2 << 13), EINVAL);
    FAILS(ioprio_get(4, 0), EINVAL);
    FAILS(ioprio_get(1, 0x3ffffff), ESRCH);
    FAILS(ioprio_set(1, 0x3ffffff, 2 << 13), ESRCH);
    setpgid(0, 0);
    IS(ioprio_get(2, 0), 2 << 13 | 4); /* from the nice value */
    IS(ioprio_set(2, 0, 2 << 13 | 6), 0);
    IS(ioprio_get(2, 0), 2 << 13 | 6);
}

static void protection_keys(void)
{
    char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAILS(pkey_alloc(1, 0), EINVAL);
    FAILS(pkey_alloc(0, 4), EINVAL);
    FAILS(pkey_free(-1), EINVAL);
    FAILS(pkey_free(16), EINVAL);
    IS(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ | PROT_WRITE, -1), 0);
    p[0] = 1;
    FAILS(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ, 16), EINVAL);
    FAILS(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ, -2), EINVAL);
}

static void file_pages(void)
{
    char name[] = "pages.XXXXXX";
    int fd = mkstemp(name);
    for (int i = 0; i < 4; i++) {
        char page[4096];
        memset(page, 'a' + i, sizeof(page));
        CHECK(write(fd, page, sizeof(page)) == sizeof(page));
    }
    char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    IS(remap_file_pages(p, 4096, 0, 3, 0), 0);
    IS(p[0], 'd');
    IS(p[4096], 'b');
    FAILS(remap_file_pages(p, 4096, PROT_READ, 0, 0), EINVAL);
    FAILS(remap_file_pages(p, 0, 0, 0, 0), EINVAL);
    char *q = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    FAILS(remap_file_pages(q, 4096, 0, 1, 0), EINVAL);
    unlink(name);
}

static void file_systems(void)
{
    char name[64] = "";
    struct stat st;
    char space[32];
    long n = syscall(SYS_sysfs, 1, "proc");
    HOLDS(n >= 0);
    IS(syscall(SYS_sysfs, 2, n, name), 0);
    IS(strcmp(name, "proc"), 0);
    HOLDS(syscall(SYS_sysfs, 3) > n);
    FAILS(syscall(SYS_sysfs, 1, "no such type"), EINVAL);
    FAILS(syscall(SYS_sysfs, 1, 8), EFAULT);
    FAILS(syscall(SYS_sysfs, 2, 1000, name), EINVAL);
    FAILS(syscall(SYS_sysfs, 2, 0, 8), EFAULT);
    FAILS(syscall(SYS_sysfs, 4), EINVAL);
    stat("/proc", &st);
    IS(syscall(SYS_ustat, (unsigned)st.st_dev, space), 0);
    FAILS(syscall(SYS_ustat, (unsigned)st.st_dev, 8), EFAULT);
    FAILS(syscall(SYS_ustat, 0x7fffffff, space), EINVAL);
}

static void privileges(void)
{
    FAILS(swapon("no-such-file", 0), ENOENT);
    FAILS(swapon("no-such-file", 0x1000000), EINVAL);
    FAILS(swapoff("no-such-file"), ENOENT);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setuid(65533) == 0);
        struct timex t = {.modes = ADJ_TICK, .tick = 10000};
        FAILS(adjtimex(&t), EPERM);
        FAILS(clock_adjtime(CLOCK_REALTIME, &t), EPERM);
        FAILS(ioprio_set(1, 1, 2 << 13), EPERM);
        FAILS(ioprio_set(1, 0, 1 << 13), EPERM);
        FAILS(acct("no-such-file"), EPERM);
        FAILS(swapon("no-such-file", 0), EPERM);
        FAILS(swapoff("no-such-file"), EPERM);
        FAILS(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL), EPERM);
        FAILS(vhangup(), EPERM);
        _exit(each_failed());
    }
    exits_with(pid, 0);
}

int main(void)
{
    clocks();
    io_priorities();
    protection_keys();
    file_pages();
    file_systems();
    privileges();
    return each_failed();
}
