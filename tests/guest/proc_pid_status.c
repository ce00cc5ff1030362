/* /proc/PID/status: "Key:\tvalue" lines; ids, masks and limits as the system calls have them. */
#include "synth.h"
#include <sys/stat.h>

static void check_line(char *line)
{
    char *colon = strchr(line, ':');
    CHECK(colon && colon > line && colon[1] == '\t');
    for (char *c = line; c < colon; c++)
        CHECK((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_');
}

static unsigned long long hex(const char *text, const char *key)
{
    CHECK(field(text, key));
    return strtoull(field(text, key), NULL, 16);
}

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMAX);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGHUP, exit);
    raise(SIGUSR1);
    umask(0027);

    char *text = slurp("/proc/self/status");
    CHECK(strncmp(text, "Name:\tproc_pid_status\n", 17) == 0);
    CHECK(strtol(field(text, "Umask:\t"), NULL, 8) == 027);
    CHECK(strncmp(field(text, "State:\t"), "R (running)\n", 12) == 0);
    CHECK(number(text, "Tgid:\t") == (unsigned)getpid() && number(text, "Pid:\t") == (unsigned)getpid());
    CHECK(number(text, "PPid:\t") == (unsigned)getppid() && number(text, "TracerPid:\t") == 0);
    unsigned a, b, c, d;
    CHECK(sscanf(field(text, "Uid:\t"), "%u\t%u\t%u\t%u\n", &a, &b, &c, &d) == 4 && a == getuid() && b == geteuid());
    CHECK(sscanf(field(text, "Gid:\t"), "%u\t%u\t%u\t%u\n", &a, &b, &c, &d) == 4 && a == getgid() && b == getegid());
    CHECK(number(text, "Threads:\t") == 1);
    CHECK(hex(text, "SigBlk:\t") == (1ULL << (SIGUSR1 - 1) | 1ULL << (SIGRTMAX - 1)));
    CHECK((hex(text, "SigPnd:\t") | hex(text, "ShdPnd:\t")) == 1ULL << (SIGUSR1 - 1));
    CHECK(hex(text, "SigIgn:\t") & 1ULL << (SIGUSR2 - 1));
    CHECK(hex(text, "SigCgt:\t") & 1ULL << (SIGHUP - 1));
    CHECK(hex(text, "CapBnd:\t") < 1ULL << 41);
    CHECK(number(text, "VmSize:\t") >= number(text, "VmRSS:\t"));
    CHECK(strstr(field(text, "VmSize:\t"), " kB\n"));
    CHECK(number(text, "NoNewPrivs:\t") <= 1 && field(text, "Groups:\t") && field(text, "Cpus_allowed_list:\t"));
    CHECK(number(text, "voluntary_ctxt_switches:\t") < 1ULL << 40);
    CHECK(each_line(text, check_line) > 40);
    return 0;
}
