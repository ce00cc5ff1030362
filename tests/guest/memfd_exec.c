// A program copied into a memfd and executed from there.
#include "expect.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

int main(int argc, char **argv)
{
    if (argc > 1)
        return 42;
    int self = open("/proc/self/exe", O_RDONLY), m = memfd_create("prog", 0);
    struct stat st;
    CHECK(self >= 0 && m >= 0);
    CHECK_EQ(fstat(self, &st), 0);
    off_t off = 0;
    while (off < st.st_size)
        if (sendfile(m, self, &off, (size_t)(st.st_size - off)) <= 0)
            break;
    CHECK_EQ(off, st.st_size);
    pid_t pid = fork();
    if (pid == 0) {
        char *args[] = {argv[0], "again", NULL}, *env[] = {NULL};
        fexecve(m, args, env);
        _exit(1);
    }
    CHECK_EQ(check_wait(pid), 42);
    return check_done();
}
