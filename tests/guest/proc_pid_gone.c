/* Files held open of a process that has ended give ESRCH, and its directory has no entries any
 * more. */
#include "synth.h"

int main(void)
{
    char path[64], c;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    snprintf(path, sizeof(path), "/proc/%d", pid);
    int dir = open(path, O_RDONLY | O_DIRECTORY), fd = openat(dir, "stat", O_RDONLY),
        status = openat(dir, "status", O_RDONLY);
    CHECK(dir >= 0 && fd >= 0 && status >= 0 && read(fd, &c, 1) == 1);
    kill(pid, SIGKILL);
    dies_by(pid, SIGKILL);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK_ERR(read(fd, &c, 1), ESRCH);
    CHECK_ERR(read(status, &c, 1), ESRCH);
    CHECK(openat(dir, "stat", O_RDONLY) == -1 && (errno == ESRCH || errno == ENOENT));
    CHECK_ERR(access(path, F_OK), ENOENT);
    return 0;
}
