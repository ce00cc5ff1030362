/* /proc/PID for who debugs it: TracerPid and states, syscall, stack, timers, map_files, numa_maps. */
#include "check.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

static char text[65536];

static const char *slurp(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    CHECK(n >= 0);
    text[n] = 0;
    close(fd);
    return text;
}

static void traced(void)
{
    char line[64];
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        raise(SIGSTOP);
        _exit(0);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
    snprintf(line, sizeof(line), "\nTracerPid:\t%d\n", getpid());
    CHECK(strstr(slurp(pid, "status"), line) && strstr(text, "State:\tt (tracing stop)"));
    CHECK(strstr(slurp(pid, "stat"), ") t "));
    CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
    exits_with(pid, 0);
    CHECK(strstr(slurp(getpid(), "status"), "\nTracerPid:\t0\n"));
}

static void sleeping(void)
{
    unsigned long nr, a[6], sp, ip;
    pid_t pid = fork();
    if (pid == 0) {
        syscall(SYS_ppoll, NULL, 0, NULL, NULL, 8);
        _exit(0);
    }
    sleep_ms(100);
    CHECK(sscanf(slurp(pid, "syscall"), "%lu %lx %lx %lx %lx %lx %lx %lx %lx", &nr, a, a + 1, a + 2, a + 3, a + 4,
                 a + 5, &sp, &ip) == 9);
    CHECK(nr == SYS_ppoll && a[0] == 0 && a[4] == 8 && sp && ip);
    slurp(pid, "stack");
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(strncmp(slurp(getpid(), "syscall"), "0 ", 2) == 0); /* its own read */
}

static void timers(void)
{
    timer_t id;
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_ptr = (void *)0x12};
    char line[128];
    CHECK(strcmp(slurp(getpid(), "timers"), "") == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &id) == 0);
    snprintf(line, sizeof(line), "ID: 0\nsignal: 10/0000000000000012\nnotify: signal/pid.%d\nClockID: 1\n", getpid());
    CHECK(strcmp(slurp(getpid(), "timers"), line) == 0);
}

static void mapped(void)
{
    char name[64], path[128], target[256];
    struct stat st, same;
    int fd = open("/proc/self/exe", O_RDONLY);
    char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    snprintf(name, sizeof(name), "%lx-%lx", (unsigned long)p, (unsigned long)p + 4096);
    snprintf(path, sizeof(path), "/proc/self/map_files/%s", name);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    CHECK(n > 0);
    target[n] = 0;
    CHECK(strstr(target, "proc_pid_debug"));
    CHECK(fstat(fd, &st) == 0 && stat(path, &same) == 0 && st.st_ino == same.st_ino);
    CHECK_ERR(readlink("/proc/self/map_files/1000-2000", target, 10), ENOENT);
    CHECK_ERR(readlink("/proc/self/map_files/x", target, 10), ENOENT);
    DIR *d = opendir("/proc/self/map_files");
    struct dirent *e;
    int found = 0;
    CHECK(d);
    while ((e = readdir(d)))
        found += strcmp(e->d_name, name) == 0 && e->d_type == DT_LNK;
    closedir(d);
    CHECK(found == 1);
    if (access("/proc/self/numa_maps", F_OK) == 0)
        CHECK(strstr(slurp(getpid(), "numa_maps"), " stack") && strstr(text, " file="));
}

int main(void)
{
    traced();
    sleeping();
    timers();
    mapped();
    return 0;
}
