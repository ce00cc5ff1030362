/* What another user's process may not see: memory, environment, descriptors. Needs root to change user. */
#include "synth.h"

int main(void)
{
    char path[64];
    if (geteuid() != 0)
        return 0;
    pid_t target = fork();
    if (target == 0)
        for (;;)
            pause();
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setgid(12345) == 0 && setuid(12345) == 0);
        const char *hidden[] = {"environ", "mem", "auxv", "io", "personality"};
        for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
            snprintf(path, sizeof(path), "/proc/%d/%s", target, hidden[i]);
            CHECK_ERR(open(path, O_RDONLY), EACCES);
        }
        char text[64];
        const char *links[] = {"exe", "cwd", "root", "fd/0", "ns/mnt"};
        for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
            snprintf(path, sizeof(path), "/proc/%d/%s", target, links[i]);
            CHECK_ERR(readlink(path, text, sizeof(text)), EACCES);
        }
        const char *open_to_all[] = {"stat", "status", "statm", "cmdline", "comm", "limits", "cgroup"};
        for (size_t i = 0; i < sizeof(open_to_all) / sizeof(*open_to_all); i++) {
            snprintf(path, sizeof(path), "/proc/%d/%s", target, open_to_all[i]);
            slurp(path);
        }
        CHECK(open("/proc/self/fd", O_RDONLY | O_DIRECTORY) >= 0 && access("/proc/self/fd/0", F_OK) == 0);
        CHECK(open("/proc/self/fd/0", O_RDONLY) >= 0 || errno == EACCES);
        _exit(0);
    }
    exits_with(pid, 0);
    kill(target, SIGKILL);
    dies_by(target, SIGKILL);
    return 0;
}
