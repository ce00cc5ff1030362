// memfd_create: contents, growth, mapping, reopening, seals, names.
#include "expect.h"
#include <sys/mman.h>

int main(void)
{
    char buf[64], link[64];
    struct stat st;
    int m = memfd_create("name", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    CHECK(m >= 0);
    CHECK_EQ(fcntl(m, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fstat(m, &st), 0);
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(st.st_mode & 0777, 0777);
    CHECK_EQ(st.st_size, 0);
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(write(m, "hello", 5), 5);
    CHECK_EQ(pwrite(m, "J", 1, 0), 1);
    CHECK_EQ(lseek(m, 0, SEEK_SET), 0);
    CHECK_EQ(read(m, buf, sizeof buf), 5);
    CHECK(memcmp(buf, "Jello", 5) == 0);
    CHECK_EQ(ftruncate(m, 8192), 0);
    CHECK_EQ(lseek(m, 0, SEEK_END), 8192);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
    CHECK(map != MAP_FAILED);
    CHECK(memcmp(map, "Jello", 6) == 0);
    map[4096] = 'x';
    CHECK_EQ(pread(m, buf, 1, 4096), 1);
    CHECK_EQ(buf[0], 'x');
    CHECK_EQ(pwrite(m, "y", 1, 4097), 1);
    CHECK_EQ(map[4097], 'y');
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", m);
    ssize_t n = readlink(path, link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    CHECK(strcmp(link, "/memfd:name (deleted)") == 0);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0);
    CHECK_EQ(read(again, buf, 5), 5);
    CHECK_ERR(write(again, buf, 5), EBADF);
    CHECK_EQ(fcntl(m, F_GET_SEALS), 0);
    CHECK_ERR(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    CHECK_EQ(fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    CHECK_ERR(ftruncate(m, 100), EPERM);
    CHECK_EQ(ftruncate(m, 16384), 0);
    CHECK_EQ(fcntl(m, F_ADD_SEALS, F_SEAL_GROW), 0);
    CHECK_ERR(ftruncate(m, 20000), EPERM);
    CHECK_ERR(pwrite(m, "z", 1, 16384), EPERM);
    CHECK_EQ(munmap(map, 8192), 0);
    CHECK_EQ(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE), 0);
    CHECK_ERR(pwrite(m, "z", 1, 0), EPERM);
    CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, m, 0) == MAP_FAILED && errno == EPERM);
    CHECK_EQ(fcntl(m, F_ADD_SEALS, F_SEAL_SEAL), 0);
    CHECK_ERR(fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
    CHECK_EQ(fcntl(m, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    int plain = memfd_create("", 0);
    CHECK_EQ(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_ERR(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    CHECK_ERR(memfd_create("x", 0x1000), EINVAL);
    char longname[300];
    memset(longname, 'a', 299);
    longname[299] = 0;
    CHECK_ERR(memfd_create(longname, 0), EINVAL);
    longname[249] = 0;
    CHECK(memfd_create(longname, 0) >= 0);
    CHECK_ERR(memfd_create((char *)8, 0), EFAULT);
    return check_done();
}
