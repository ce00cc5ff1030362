/* /proc/PID: what is resident is told by status, statm, smaps, smaps_rollup, pagemap and getrusage(2). */
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>

#define SIZE (32UL << 20)

static long number_in(const char *path, const char *name)
{
    char line[512];
    long value = -1;
    FILE *f = fopen(path, "r");
    CHECK(f);
    while (value < 0 && fgets(line, sizeof(line), f))
        if (strncmp(line, name, strlen(name)) == 0)
            value = atol(line + strlen(name));
    fclose(f);
    return value;
}

static long statm(int field)
{
    long v[7];
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f && fscanf(f, "%ld %ld %ld %ld %ld %ld %ld", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6) == 7);
    fclose(f);
    return v[field];
}

/* Rss of the area that holds p. */
static long smaps_rss(const void *p)
{
    char line[512];
    int in = 0;
    long rss = -1;
    FILE *f = fopen("/proc/self/smaps", "r");
    CHECK(f);
    while (fgets(line, sizeof(line), f)) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            in = (unsigned long)p >= start && (unsigned long)p < end;
        if (in && sscanf(line, "Rss: %ld", &rss) == 1)
            break;
    }
    fclose(f);
    return rss;
}

static int grow(void)
{
    char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(p, 1, SIZE);
    return 0;
}

int main(void)
{
    long before = number_in("/proc/self/status", "VmRSS:"), before_anon = number_in("/proc/self/status", "RssAnon:");
    long pages = statm(1);
    CHECK(before > 100 && before < 100000);
    char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(smaps_rss(p) == 0);
    memset(p, 1, SIZE);
    long kib = SIZE / 1024, slack = 2048;
    long now = number_in("/proc/self/status", "VmRSS:");
    CHECK(now >= before + kib - slack && now <= before + kib + slack);
    now = number_in("/proc/self/status", "RssAnon:");
    CHECK(now >= before_anon + kib - slack && now <= before_anon + kib + slack);
    CHECK(statm(1) >= pages + (kib - slack) / 4);
    CHECK(smaps_rss(p) >= kib - slack && smaps_rss(p) <= kib + slack);
    CHECK(number_in("/proc/self/smaps_rollup", "Rss:") >= kib);
    CHECK(number_in("/proc/self/status", "VmHWM:") >= kib);
    struct rusage u;
    CHECK(getrusage(RUSAGE_SELF, &u) == 0 && u.ru_maxrss >= kib);
    /* pagemap: present or not */
    uint64_t entry;
    int fd = open("/proc/self/pagemap", O_RDONLY);
    CHECK(fd >= 0 && pread(fd, &entry, 8, (off_t)((uintptr_t)p / 4096 * 8)) == 8 && entry >> 63);
    char *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pread(fd, &entry, 8, (off_t)((uintptr_t)q / 4096 * 8)) == 8 && !(entry >> 63));
    CHECK_ERR(pread(fd, &entry, 7, 0), EINVAL);
    CHECK_ERR(pread(fd, &entry, 8, 4), EINVAL);
    close(fd);
    CHECK(munmap(p, SIZE) == 0);
    CHECK(number_in("/proc/self/status", "VmRSS:") <= before + slack);
    /* a child's peak */
    pid_t pid = child(grow);
    int status;
    CHECK(wait4(pid, &status, 0, &u) == pid && status == 0 && u.ru_maxrss >= kib);
    CHECK(getrusage(RUSAGE_CHILDREN, &u) == 0 && u.ru_maxrss >= kib);
    fd = open("/proc/self/clear_refs", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "1", 1) == 1);
    CHECK_ERR(write(fd, "9", 1), EINVAL);
    return 0;
}
