/* /proc/PID/maps and smaps: every line parses, areas are sorted and apart, and changes of the space show. */
#include "synth.h"
#include <sys/mman.h>

static unsigned long last_end;
static int stacks, heaps;

static void check_line(char *line)
{
    unsigned long start, end, offset, ino;
    unsigned major, minor;
    char perms[5];
    int used = 0;
    CHECK(sscanf(line, "%lx-%lx %4s %lx %x:%x %lu%n", &start, &end, perms, &offset, &major, &minor, &ino, &used) == 7);
    CHECK(start < end && start >= last_end && start % 4096 == 0 && end % 4096 == 0 && offset % 4096 == 0);
    CHECK(strchr("r-", perms[0]) && strchr("w-", perms[1]) && strchr("x-", perms[2]) && strchr("ps", perms[3]));
    last_end = end;
    char *name = line + used + strspn(line + used, " ");
    if (*name) {
        CHECK(name - line == 73 || strlen(line) < 73 || name - line > 73);
        CHECK(*name == '/' || *name == '[');
    }
    CHECK((ino != 0) == (*name == '/') || strstr(name, "deleted") || *name == '[');
    stacks += strcmp(name, "[stack]") == 0;
    heaps += strcmp(name, "[heap]") == 0;
}

static int has_line(void *at, const char *perms, size_t len)
{
    char want[64];
    snprintf(want, sizeof(want), "%lx-%lx %s", (long)at, (long)at + len, perms);
    return field(slurp("/proc/self/maps"), want) != NULL;
}

int main(void)
{
    CHECK(sbrk(4096) != (void *)-1);
    CHECK(each_line(slurp("/proc/self/maps"), check_line) > 5 && stacks == 1 && heaps == 1);
    char *p = mmap(NULL, 5 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mprotect(p + 4096, 3 * 4096, PROT_READ | PROT_WRITE) == 0);
    CHECK(mprotect(p + 2 * 4096, 4096, PROT_READ) == 0);
    CHECK(has_line(p + 4096, "rw-p", 4096) && has_line(p + 2 * 4096, "r--p", 4096));
    int fd = open("/proc/self/exe", O_RDONLY);
    char *m = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096), want[64];
    CHECK(m != MAP_FAILED);
    snprintf(want, sizeof(want), "%lx-%lx r--s 00001000", (long)m, (long)m + 4096);
    const char *line = field(slurp("/proc/self/maps"), want);
    CHECK(line && strstr(line, "/proc_pid_maps\n"));

    char *smaps = slurp("/proc/self/smaps");
    int sizes = 0;
    for (char *s = smaps; (s = strstr(s, "\nSize: ")); s++)
        sizes++;
    CHECK(sizes > 5 && strstr(smaps, " kB\nMMUPageSize:           4 kB\nRss: ") && strstr(smaps, "\nVmFlags: rd "));
    CHECK(strstr(slurp("/proc/self/smaps_rollup"), "[rollup]\nRss: "));
    return 0;
}
