/* Making a pseudo-terminal and handing its master over. */
#include "runtime/pty.h"
#include "base/cleanup.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

int pty_connect(const char *path, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof address.sun_path)
        return error_set(err, EXIT_FAILURE, "the console socket's path '%s' is too long", path);
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return error_set(err, EXIT_FAILURE, "cannot connect to the console socket '%s': %s", path,
                         strerror(errno));
    return TAKE_FD(fd);
}

static int send_master(int socket, int master, const char *name)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec v = {(void *)name, strlen(name)};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control.space};
    memcpy(CMSG_DATA(&control.header), &master, sizeof master);
    return sendmsg(socket, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void set_up(int slave, const struct spec_process *p)
{
    struct termios t;
    struct winsize size = {.ws_row = (unsigned short)p->console_height,
                           .ws_col = (unsigned short)p->console_width};
    if (tcgetattr(slave, &t) == 0) {
        cfmakeraw(&t);
        tcsetattr(slave, TCSANOW, &t);
    }
    if (size.ws_row && size.ws_col)
        ioctl(slave, TIOCSWINSZ, &size);
    /* For SIGWINCH, and SIGHUP when the engine closes the master. */
    ioctl(slave, TIOCSCTTY, 0);
}

int pty_open_fd(int socket, const struct spec_process *p, struct error *err)
{
    char name[64] = "/dev/pts/ptmx";
    CLEANUP_FD int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || unlockpt(master) < 0)
        return error_set(err, EXIT_FAILURE, "cannot make a terminal: %s", strerror(errno));
    CLEANUP_FD int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return error_set(err, EXIT_FAILURE, "cannot open the terminal: %s", strerror(errno));
    set_up(slave, p);
    int number;
    if (ioctl(master, TIOCGPTN, &number) == 0)
        snprintf(name, sizeof name, "/dev/pts/%d", number);
    int e = send_master(socket, master, name);
    if (e)
        return error_set(err, EXIT_FAILURE, "cannot send the terminal: %s", strerror(-e));
    return TAKE_FD(slave);
}

int pty_open(const char *console_socket, const struct spec_process *p, struct error *err)
{
    CLEANUP_FD int socket = pty_connect(console_socket, err);
    return socket < 0 ? -1 : pty_open_fd(socket, p, err);
}
