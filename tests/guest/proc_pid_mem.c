/* /proc/PID/mem: reads and writes memory at its address, own and a child's; holes give EIO. */
#include "synth.h"
#include <sys/mman.h>

static char text[] = "hello, memory";

int main(void)
{
    char buf[32] = "";
    int fd = open("/proc/self/mem", O_RDWR);
    CHECK(fd >= 0);
    CHECK(pread(fd, buf, sizeof(text), (off_t)(uintptr_t)text) == sizeof(text) && strcmp(buf, text) == 0);
    CHECK(pwrite(fd, "J", 1, (off_t)(uintptr_t)text) == 1 && strcmp(text, "Jello, memory") == 0);
    char *hole = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(hole != MAP_FAILED && munmap(hole + 4096, 4096) == 0);
    CHECK_ERR(pread(fd, buf, 8, (off_t)(uintptr_t)hole + 4096), EIO);
    CHECK(pread(fd, buf, 8, (off_t)(uintptr_t)hole + 4092) == 4);

    int p[2];
    CHECK(pipe(p) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        strcpy(text, "child's own");
        if (write(p[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    CHECK(read(p[0], buf, 1) == 1);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && pread(fd, buf, 12, (off_t)(uintptr_t)text) == 12 && strcmp(buf, "child's own") == 0);
    kill(pid, SIGKILL);
    dies_by(pid, SIGKILL);
    CHECK(pread(fd, buf, 12, (off_t)(uintptr_t)text) <= 0);
    return 0;
}
