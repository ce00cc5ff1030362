/* System-wide files: cpuinfo, meminfo, stat, uptime, loadavg, version, filesystems and their
 * formats. */
#include "synth.h"
#include <sys/utsname.h>

static void check_meminfo(char *line)
{
    char key[64];
    unsigned long long n;
    CHECK(sscanf(line, "%63[^:]: %llu", key, &n) == 2);
}

static int cpus_in_stat;

static void check_stat(char *line)
{
    unsigned long long f[10];
    if (strncmp(line, "cpu", 3) != 0)
        return;
    char *at = strchr(line, ' ');
    CHECK(at && sscanf(at, "%llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", &f[0], &f[1], &f[2],
                       &f[3], &f[4], &f[5], &f[6], &f[7], &f[8], &f[9]) == 10);
    cpus_in_stat += line[3] != ' ';
}

int main(void)
{
    char *text = slurp("/proc/cpuinfo");
    int processors = 0;
    for (char *s = text; (s = strstr(s, "processor\t: ")); s++)
        processors++;
    CHECK(processors >= 1 && strstr(text, "\nflags\t\t: ") && strstr(text, "model name\t: "));

    text = slurp("/proc/meminfo");
    CHECK(number(text, "MemTotal:") >= number(text, "MemFree:") &&
          number(text, "MemAvailable:") > 0);
    CHECK(number(text, "MemTotal:") == (unsigned long long)sysconf(_SC_PHYS_PAGES) * 4);
    CHECK(each_line(text, check_meminfo) > 20);

    text = slurp("/proc/stat");
    unsigned long long boot = number(text, "btime "), now = (unsigned long long)time(NULL);
    CHECK(boot < now && number(text, "processes ") > 0 && number(text, "procs_running ") >= 1);
    each_line(text, check_stat);
    CHECK(cpus_in_stat >= 1);

    double up, idle, l[3];
    int running, total, last;
    CHECK(sscanf(slurp("/proc/uptime"), "%lf %lf\n", &up, &idle) == 2);
    struct timespec ts;
    clock_gettime(CLOCK_BOOTTIME, &ts);
    CHECK(up > (double)ts.tv_sec - 2 && up < (double)ts.tv_sec + 2);
    CHECK(sscanf(slurp("/proc/loadavg"), "%lf %lf %lf %d/%d %d\n", &l[0], &l[1], &l[2], &running,
                 &total, &last) == 6);
    CHECK(running >= 1 && total >= running && last > 0);

    struct utsname u;
    char want[128];
    CHECK(uname(&u) == 0);
    snprintf(want, sizeof(want), "Linux version %s ", u.release);
    CHECK(strncmp(slurp("/proc/version"), want, strlen(want)) == 0);
    CHECK(strstr(slurp("/proc/filesystems"), "nodev\ttmpfs\n") &&
          strstr(slurp("/proc/filesystems"), "nodev\tproc\n"));
    CHECK(strncmp(slurp("/proc/devices"), "Character devices:\n", 19) == 0);
    CHECK(strncmp(slurp("/proc/partitions"), "major minor  #blocks  name\n", 27) == 0);
    CHECK(strncmp(slurp("/proc/swaps"), "Filename\t", 9) == 0);
    CHECK(number(slurp("/proc/vmstat"), "nr_free_pages ") > 0 &&
          strstr(slurp("/proc/interrupts"), "CPU0"));
    CHECK(slurp("/proc/cmdline")[0]);
    slurp("/proc/diskstats");
    return 0;
}
