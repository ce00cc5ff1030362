/* /proc/PID/cmdline and environ: NUL-separated, as exec got them; cmdline shows what the program wrote over it. */
#include "synth.h"

int main(int argc, char **argv)
{
    size_t len;
    if (argc == 1) {
        char *args[] = {argv[0], "", "two words", NULL}, *env[] = {"A=1", "EMPTY=", NULL};
        execve("/proc/self/exe", args, env);
        return 1;
    }
    char *text = slurp_n("/proc/self/cmdline", &len), *second = text + strlen(argv[0]) + 1;
    CHECK(strcmp(text, argv[0]) == 0 && second[0] == 0 && strcmp(second + 1, "two words") == 0);
    CHECK(len == strlen(argv[0]) + 1 + 1 + 10);
    text = slurp_n("/proc/self/environ", &len);
    CHECK(len == 11 && memcmp(text, "A=1\0EMPTY=", 11) == 0);
    argv[2][0] = 'T';
    text = slurp("/proc/self/cmdline");
    CHECK(strcmp(text + strlen(argv[0]) + 2, "Two words") == 0);
    char some[4];
    int fd = open("/proc/self/cmdline", O_RDONLY);
    CHECK(pread(fd, some, 4, (off_t)strlen(argv[0]) + 2) == 4 && memcmp(some, "Two ", 4) == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, some, 1) == 1 && some[0] == argv[0][0]);
    return 0;
}
