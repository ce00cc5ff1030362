/* How made-up files behave: short reads continue one text, seeking, permissions, no growth. */
#include "synth.h"
#include <sys/mman.h>
#include <sys/stat.h>

int main(void)
{
    char whole[8192], piece;
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t n = read(fd, whole, sizeof(whole));
    CHECK(n > 500 && read(fd, whole, 1) == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    for (int i = 0; i < 100; i++)
        CHECK(read(fd, &piece, 1) == 1 && piece == whole[i]);
    CHECK(pread(fd, &piece, 1, 50) == 1 && piece == whole[50]);
    CHECK(lseek(fd, 10, SEEK_SET) == 10 && read(fd, &piece, 1) == 1 && piece == whole[10]);
    CHECK(lseek(fd, 5, SEEK_CUR) == 16 && read(fd, &piece, 1) == 1 && piece == whole[16]);
    CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERR(write(fd, "x", 1), EBADF);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
    CHECK_ERR(unlink("/proc/self/status"), EPERM);
    CHECK_ERR(rename("/proc/self/status", "/proc/self/other"), ENOENT);
    CHECK_ERR(symlink("x", "/proc/self/link"), ENOENT);
    struct stat st;
    CHECK(fstat(fd, &st) == 0 && st.st_size == 0 && (st.st_mode & 07777) == 0444 && st.st_nlink == 1);
    struct stat again;
    CHECK(stat("/proc/self/status", &again) == 0 && again.st_ino == st.st_ino && again.st_dev == st.st_dev);
    CHECK(stat("/proc/self/stat", &again) == 0 && again.st_ino != st.st_ino);
    return 0;
}
