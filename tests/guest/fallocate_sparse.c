/* Sparse files: a size of terabytes with a few pages in it. */
#include "check.h"
#include <sys/stat.h>

int main(void)
{
    struct stat st;
    char buf[8];
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    off_t far = 1LL << 40;
    CHECK(ftruncate(fd, far) == 0 && fstat(fd, &st) == 0 && st.st_size == far && st.st_blocks <= 8);
    CHECK(pwrite(fd, "middle", 6, far / 2) == 6 && pwrite(fd, "end", 3, far) == 3);
    CHECK(fstat(fd, &st) == 0 && st.st_size == far + 3 && st.st_blocks < 1000);
    CHECK(pread(fd, buf, 8, far / 2) == 8 && !memcmp(buf, "middle\0", 8));
    CHECK(pread(fd, buf, 8, far / 4) == 8 && !memcmp(buf, "\0\0\0\0\0\0\0", 8));
    CHECK(lseek(fd, 0, SEEK_DATA) == far / 2 && pread(fd, buf, 8, far) == 3);
    CHECK(ftruncate(fd, 5) == 0 && fstat(fd, &st) == 0 && st.st_size == 5 &&
          pread(fd, buf, 8, 0) == 5);
    return 0;
}
