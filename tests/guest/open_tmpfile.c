/* O_TMPFILE: a file without a name, that linkat may give one. */
#include "check.h"
#include <sys/stat.h>

int main(void)
{
    struct stat st;
    char name[64];
    CHECK_ERR(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    CHECK(fd >= 0 && write(fd, "data", 4) == 4 && fstat(fd, &st) == 0 && st.st_nlink == 0 &&
          st.st_size == 4);
    CHECK((st.st_mode & 07777) == 0600);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    CHECK(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
    CHECK(stat("named", &st) == 0 && st.st_nlink == 1 && st.st_size == 4);
    CHECK_ERR(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), EEXIST);
    int excl = open(".", O_TMPFILE | O_EXCL | O_RDWR, 0600);
    CHECK(excl >= 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", excl);
    CHECK_ERR(linkat(AT_FDCWD, name, AT_FDCWD, "other", AT_SYMLINK_FOLLOW), ENOENT);
    CHECK_ERR(open("named", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
    return 0;
}
