/* Processes that append to one file lose no line. */
#include "check.h"
#include <sys/stat.h>

int main(void)
{
    struct stat st;
    int fd = open("log", O_CREAT | O_WRONLY | O_APPEND, 0644);
    CHECK(fd >= 0);
    pid_t pids[4];
    for (int p = 0; p < 4; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            int mine = open("log", O_WRONLY | O_APPEND);
            for (int i = 0; i < 500; i++)
                CHECK(write(i & 1 ? mine : fd, "0123456789abcdef", 16) == 16);
            _exit(0);
        }
    }
    for (int p = 0; p < 4; p++)
        exits_with(pids[p], 0);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 4 * 500 * 16);
    return 0;
}
