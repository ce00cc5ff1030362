/* /sys/devices/system/cpu: lists of CPUs agree with sysconf, and each has a topology. */
#include "synth.h"
#include <dirent.h>
#include <sys/vfs.h>

/* How many numbers a list like "0-3,8" names; -1 if it does not parse. */
static int list_count(const char *s)
{
    int count = 0;
    while (*s && *s != '\n') {
        char *end;
        long a = strtol(s, &end, 10), b = a;
        if (end == s)
            return -1;
        if (*end == '-')
            b = strtol(end + 1, &end, 10);
        count += (int)(b - a + 1);
        s = *end == ',' ? end + 1 : end;
        if (b < a)
            return -1;
    }
    return *s == '\n' ? count : -1;
}

int main(void)
{
    struct statfs fs;
    char path[128];
    CHECK(statfs("/sys", &fs) == 0 && fs.f_type == 0x62656572);
    int online = list_count(slurp("/sys/devices/system/cpu/online"));
    CHECK(online == sysconf(_SC_NPROCESSORS_ONLN));
    CHECK(list_count(slurp("/sys/devices/system/cpu/possible")) >= online);
    CHECK(list_count(slurp("/sys/devices/system/cpu/present")) >= online);
    DIR *d = opendir("/sys/devices/system/cpu");
    int dirs = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (strncmp(e->d_name, "cpu", 3) == 0 && e->d_name[3] >= '0' && e->d_name[3] <= '9') {
            dirs++;
            snprintf(path, sizeof(path), "/sys/devices/system/cpu/%.20s/topology/core_id", e->d_name);
            CHECK(strspn(slurp(path), "0123456789\n") == strlen(slurp(path)));
            snprintf(path, sizeof(path), "/sys/devices/system/cpu/%.20s/topology/thread_siblings_list", e->d_name);
            CHECK(list_count(slurp(path)) >= 1);
            snprintf(path, sizeof(path), "/sys/devices/system/cpu/%.20s/topology/thread_siblings", e->d_name);
            CHECK(strspn(slurp(path), "0123456789abcdef,\n") == strlen(slurp(path)));
        }
    CHECK(dirs >= online && dirs == sysconf(_SC_NPROCESSORS_CONF));
    CHECK_ERR(access("/sys/devices/system/cpu/cpu9999", F_OK), ENOENT);
    CHECK(atoi(slurp("/sys/devices/system/node/online")) == 0);
    CHECK(strstr(slurp("/sys/devices/system/node/node0/meminfo"), "Node 0 MemTotal: "));
    return 0;
}
