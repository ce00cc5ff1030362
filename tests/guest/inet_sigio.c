// O_ASYNC, F_SETOWN, F_SETSIG and SIGURG on sockets and pipes.
#include "inet.h"

static volatile sig_atomic_t count, last_fd, last_code, last_band, last_signal;

static void handler(int sig, siginfo_t *info, void *context)
{
    count++;
    last_signal = sig;
    last_fd = info->si_fd;
    last_code = info->si_code;
    last_band = (int)info->si_band;
}

static void catch(int sig)
{
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK_EQ(sigaction(sig, &sa, NULL), 0);
}

static void owners(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct f_owner_ex ex = {0};
    CHECK_EQ(fcntl(s, F_GETOWN), 0);
    CHECK_EQ(fcntl(s, F_GETSIG), 0);
    CHECK_EQ(fcntl(s, F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(s, F_GETOWN), getpid());
    CHECK_EQ(fcntl(s, F_GETOWN_EX, &ex), 0);
    CHECK_EQ(ex.type, F_OWNER_PID);
    CHECK_EQ(ex.pid, getpid());
    CHECK_EQ(fcntl(s, F_SETOWN, -getpgrp()), 0);
    CHECK_EQ(fcntl(s, F_GETOWN_EX, &ex), 0);
    CHECK_EQ(ex.type, F_OWNER_PGRP);
    CHECK_EQ(ex.pid, getpgrp());
    ex = (struct f_owner_ex){F_OWNER_TID, getpid()};
    CHECK_EQ(fcntl(s, F_SETOWN_EX, &ex), 0);
    CHECK_EQ(fcntl(s, F_GETOWN), getpid());
    ex.type = 7;
    CHECK_ERR(fcntl(s, F_SETOWN_EX, &ex), EINVAL);
    CHECK_ERR(fcntl(s, F_SETOWN, 99999999), ESRCH);
    CHECK_ERR(fcntl(s, F_SETSIG, 100), EINVAL);
    int id = getpid();
    CHECK_EQ(ioctl(s, FIOSETOWN, &id), 0);
    id = 0;
    CHECK_EQ(ioctl(s, FIOGETOWN, &id), 0);
    CHECK_EQ(id, getpid());
    CHECK_EQ(fcntl(s, F_SETOWN, 0), 0);
    CHECK_EQ(fcntl(s, F_GETOWN), 0);
    close(s);
}

static void on_socket(void)
{
    int c, s;
    char b;
    tcp_pair(&c, &s);
    catch(SIGIO);
    CHECK_EQ(fcntl(s, F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(s, F_SETFL, O_ASYNC), 0);
    CHECK(fcntl(s, F_GETFL) & O_ASYNC);
    count = 0;
    CHECK_EQ(write(c, "x", 1), 1);
    CHECK(count >= 1);
    CHECK_EQ(read(s, &b, 1), 1);
    catch(SIGRTMIN);
    CHECK_EQ(fcntl(s, F_SETSIG, SIGRTMIN), 0);
    count = 0;
    CHECK_EQ(write(c, "x", 1), 1);
    CHECK(count >= 1);
    CHECK_EQ(last_signal, SIGRTMIN);
    CHECK_EQ(last_fd, s);
    CHECK_EQ(last_code, POLL_IN);
    CHECK_EQ(last_band, POLLIN | POLLRDNORM);
    CHECK_EQ(fcntl(s, F_SETFL, 0), 0);
    count = 0;
    CHECK_EQ(write(c, "x", 1), 1);
    CHECK_EQ(count, 0);
    close(c);
    close(s);
}

static void urgent(void)
{
    int c, s;
    tcp_pair(&c, &s);
    catch(SIGURG);
    CHECK_EQ(fcntl(s, F_SETOWN, getpid()), 0);
    count = 0;
    CHECK_EQ(send(c, "!", 1, MSG_OOB), 1);
    CHECK_EQ(count, 1);
    CHECK_EQ(last_signal, SIGURG);
    close(c);
    close(s);
}

static void on_pipe(void)
{
    int p[2];
    CHECK_EQ(pipe(p), 0);
    catch(SIGIO);
    CHECK_EQ(fcntl(p[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(p[0], F_SETFL, O_ASYNC), 0);
    count = 0;
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK(count >= 1);
    int off = 0;
    CHECK_EQ(ioctl(p[0], FIOASYNC, &off), 0);
    CHECK_EQ(fcntl(p[0], F_GETFL) & O_ASYNC, 0);
    close(p[0]);
    close(p[1]);
}

int main(void)
{
    owners();
    on_socket();
    urgent();
    on_pipe();
    return check_done();
}
