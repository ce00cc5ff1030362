/* fallocate: growing, KEEP_SIZE, holes punched and zeroed, SEEK_DATA and SEEK_HOLE. */
#include "check.h"
#include <linux/falloc.h>
#include <sys/stat.h>

static char buf[200000];
int main(void)
{
    struct stat st;
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    CHECK(fallocate(fd, 0, 0, 10000) == 0 && fstat(fd, &st) == 0 && st.st_size == 10000 &&
          st.st_blocks >= 16);
    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 10000, 50000) == 0 && fstat(fd, &st) == 0 &&
          st.st_size == 10000);
    CHECK_ERR(fallocate(fd, 0, -1, 10), EINVAL);
    CHECK_ERR(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
    CHECK_ERR(fallocate(open("f", O_RDONLY), 0, 0, 10), EBADF);
    memset(buf, 'x', sizeof buf);
    CHECK(pwrite(fd, buf, 100000, 0) == 100000 && fsync(fd) == 0 && fstat(fd, &st) == 0);
    long before = st.st_blocks;
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 40960) == 0);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 100000 && st.st_blocks < before);
    CHECK(pread(fd, buf, 100000, 0) == 100000);
    for (int i = 0; i < 100000; i++)
        CHECK(buf[i] == (i >= 8192 && i < 49152 ? 0 : 'x'));
    CHECK(lseek(fd, 0, SEEK_DATA) == 0 && lseek(fd, 0, SEEK_HOLE) == 8192 &&
          lseek(fd, 8192, SEEK_DATA) == 49152);
    CHECK(lseek(fd, 49152, SEEK_HOLE) == 100000 && lseek(fd, 20000, SEEK_HOLE) == 20000);
    CHECK_ERR(lseek(fd, 100000, SEEK_DATA), ENXIO);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 60001, 3) == 0 &&
          pread(fd, buf, 5, 60000) == 5);
    CHECK(buf[0] == 'x' && !buf[1] && !buf[2] && !buf[3] && buf[4] == 'x');
    int p[2];
    CHECK(pipe(p) == 0);
    CHECK_ERR(fallocate(p[1], 0, 0, 10), ESPIPE);
    CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0 &&
          posix_fadvise(fd, 0, 0, 77) == EINVAL);
    CHECK(posix_fadvise(p[0], 0, 0, 0) == ESPIPE && readahead(fd, 0, 100) == 0);
    return 0;
}
