/* The smaller files: auxv, cgroup, uid_map, sched, schedstat, io, wchan, personality, ns. */
#include "synth.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/stat.h>

int main(void)
{
    size_t len;
    Elf64_auxv_t *v = (void *)slurp_n("/proc/self/auxv", &len);
    CHECK(len % sizeof(*v) == 0 && len >= 10 * sizeof(*v) &&
          v[len / sizeof(*v) - 1].a_type == AT_NULL);
    for (size_t i = 0; i + 1 < len / sizeof(*v); i++)
        if (v[i].a_type == AT_PAGESZ || v[i].a_type == AT_ENTRY || v[i].a_type == AT_RANDOM ||
            v[i].a_type == AT_EXECFN)
            CHECK(getauxval(v[i].a_type) == v[i].a_un.a_val);

    CHECK(strstr(slurp("/proc/self/cgroup"), "0::/"));
    unsigned a, b, c;
    CHECK(sscanf(slurp("/proc/self/uid_map"), "%u %u %u", &a, &b, &c) == 3);
    CHECK(sscanf(slurp("/proc/self/schedstat"), "%u %u %u\n", &a, &b, &c) == 3);
    CHECK(field(slurp("/proc/self/io"), "write_bytes: "));
    CHECK(strtoul(slurp("/proc/self/personality"), NULL, 16) == (unsigned)personality(0xffffffff));
    CHECK(strspn(slurp("/proc/self/loginuid"), "0123456789") > 0);
    CHECK(strtol(slurp("/proc/self/coredump_filter"), NULL, 16) > 0);
    CHECK(atoi(slurp("/proc/self/timerslack_ns")) > 0);
    CHECK(strcmp(slurp("/proc/self/setgroups"), "allow\n") == 0 ||
          strcmp(slurp("/proc/self/setgroups"), "deny\n") == 0);
    const char *spaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
    for (size_t i = 0; i < sizeof(spaces) / sizeof(*spaces); i++) {
        char path[64], mine[64] = "", his[64] = "", want[16];
        snprintf(path, sizeof(path), "/proc/self/ns/%s", spaces[i]);
        CHECK(readlink(path, mine, sizeof(mine) - 1) > 0);
        snprintf(want, sizeof(want), "%s:[", spaces[i]);
        CHECK(strncmp(mine, want, strlen(want)) == 0 && mine[strlen(mine) - 1] == ']');
        struct stat st;
        CHECK(stat(path, &st) == 0 && st.st_ino == strtoull(mine + strlen(want), NULL, 10) && S_ISREG(st.st_mode));
        int fd = open(path, O_RDONLY);
        CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == strtoull(mine + strlen(want), NULL, 10));
        close(fd);
        snprintf(path, sizeof(path), "/proc/%d/ns/%s", getppid(), spaces[i]);
        CHECK(getppid() == 0 || readlink(path, his, sizeof(his) - 1) == -1 ||
              strcmp(mine, his) == 0);
    }
    return 0;
}
