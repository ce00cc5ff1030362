/* Nodes: FIFOs between processes, device numbers, sockets that cannot be opened. */
#include "check.h"
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static int writer(void)
{
    int fd = open("p", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "through", 7) == 7);
    return 0;
}

int main(void)
{
    char buf[16];
    CHECK(mkfifo("p", 0600) == 0);
    CHECK_ERR(mkfifo("p", 0600), EEXIST);
    CHECK_ERR(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
    pid_t pid = child(writer);
    int fd = open("p", O_RDONLY);
    CHECK(fd >= 0 && read(fd, buf, 16) == 7 && !memcmp(buf, "through", 7) &&
          read(fd, buf, 16) == 0);
    exits_with(pid, 0);
    CHECK_ERR(lseek(fd, 0, SEEK_CUR), ESPIPE);
    CHECK_ERR(pread(fd, buf, 1, 0), ESPIPE);
    if (geteuid() == 0 && mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0) {
        int n = open("null", O_RDWR);
        CHECK(n >= 0 ? write(n, "x", 1) == 1 && read(n, buf, 1) == 0 : errno == EACCES);
    }
    if (geteuid() == 0) {
        CHECK(mknod("none", S_IFCHR | 0666, makedev(77, 77)) == 0);
        int n = open("none", O_RDWR);
        CHECK(n < 0 && (errno == ENXIO || errno == EACCES));
    }
    CHECK_ERR(mknod("dir", S_IFDIR | 0755, 0), EPERM);
    CHECK_ERR(mknod("what", 0150000 | 0644, 0), EINVAL);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    if (s >= 0) {
        struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "sock"};
        struct stat st;
        if (bind(s, (void *)&un, sizeof un) == 0) {
            CHECK(stat("sock", &st) == 0 && S_ISSOCK(st.st_mode));
            CHECK_ERR(open("sock", O_RDWR), ENXIO);
        }
    }
    return 0;
}
