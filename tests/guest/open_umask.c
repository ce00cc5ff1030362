/* New files take their mode through the umask, and their group from a set-group-ID directory. */
#include "check.h"
#include <sys/stat.h>

static unsigned mode_of(const char *name)
{
    struct stat st;
    CHECK(lstat(name, &st) == 0);
    return st.st_mode & 07777;
}

int main(void)
{
    CHECK(umask(027) == umask(027) || 1);
    umask(027);
    CHECK(umask(027) == 027);
    int fd = open("f", O_CREAT | O_RDWR, 0666);
    CHECK(fd >= 0 && mode_of("f") == 0640);
    CHECK(mkdir("d", 0777) == 0 && mode_of("d") == 0750);
    CHECK(mknod("n", S_IFREG | 0666, 0) == 0 && mode_of("n") == 0640);
    CHECK(mkfifo("p", 0666) == 0 && mode_of("p") == 0640);
    CHECK(symlink("x", "l") == 0 && mode_of("l") == 0777);
    umask(0);
    CHECK((fd = open("s", O_CREAT | O_RDWR, 06755)) >= 0 && mode_of("s") == 06755);
    CHECK(mkdir("t", 01777) == 0 && mode_of("t") == 01777);
    if (geteuid() != 0)
        return 0;
    struct stat st;
    CHECK(mkdir("g", 0755) == 0 && chown("g", 0, 1234) == 0 && chmod("g", 02755) == 0);
    CHECK((fd = open("g/f", O_CREAT | O_RDWR, 0644)) >= 0 && fstat(fd, &st) == 0 &&
          st.st_gid == 1234);
    CHECK(mkdir("g/d", 0755) == 0 && stat("g/d", &st) == 0 && st.st_gid == 1234 &&
          st.st_mode & S_ISGID);
    return 0;
}
