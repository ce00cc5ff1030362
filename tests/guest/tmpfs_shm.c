/* /dev/shm: a tmpfs: files, limits by statfs, large and mapped files. */
#include "check.h"
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

int main(void)
{
    struct statfs fs;
    struct stat st;
    CHECK(statfs("/dev/shm", &fs) == 0 && fs.f_type == 0x01021994 && fs.f_bsize == 4096 &&
          fs.f_namelen == 255);
    char name[64];
    snprintf(name, sizeof name, "/dev/shm/picket-test-%d", getpid());
    int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 1 << 22) == 0);
    char *p = mmap(NULL, 1 << 22, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    memset(p, 'a', 1 << 22);
    CHECK(fstat(fd, &st) == 0 && st.st_blocks == (1 << 22) / 512);
    char buf[4];
    CHECK(pread(fd, buf, 4, (1 << 22) - 4) == 4 && !memcmp(buf, "aaaa", 4));
    pid_t pid = fork();
    if (pid == 0) {
        p[0] = 'c';
        _exit(0);
    }
    exits_with(pid, 0);
    CHECK(p[0] == 'c' && pread(fd, buf, 1, 0) == 1 && buf[0] == 'c');
    CHECK(fstatfs(fd, &fs) == 0 && fs.f_bavail <= fs.f_blocks);
    return 0;
}
