/*
 * Yardsticks for sockets on the loopback, each a line "name<tab>number":
 *   tcp_pingpong   a byte there and back between two processes: nanoseconds
 *   tcp_connect    connect, accept, close of both ends, in one process: nanoseconds
 *   tcp_bulk       64 KiB writes to a process that reads as fast as it can: nanoseconds each
 *   udp_pingpong   the same with datagrams
 *   tcp_idle       10,000 connections open at once: microseconds to make one
 * Names as arguments choose some of them.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct sockaddr_in address;

static int listener(int type)
{
    int s = socket(AF_INET, type, 0);
    socklen_t len = sizeof address;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(s, (struct sockaddr *)&address, sizeof address) != 0 || (type == SOCK_STREAM && listen(s, 4096) != 0))
        exit(1);
    getsockname(s, (struct sockaddr *)&address, &len);
    return s;
}

static int client(int type)
{
    int s = socket(AF_INET, type, 0);
    if (connect(s, (struct sockaddr *)&address, sizeof address) != 0)
        exit(1);
    return s;
}

static void pair(int *c, int *s)
{
    int l = listener(SOCK_STREAM), on = 1;
    *c = client(SOCK_STREAM);
    *s = accept(l, NULL, NULL);
    setsockopt(*c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(*s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    close(l);
}

static double pingpong(int a, int b)
{
    char byte = 0;
    enum { ROUNDS = 20000 };
    pid_t pid = fork();
    if (pid == 0) {
        while (read(b, &byte, 1) == 1 && byte != 'q')
            if (write(b, &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    double start = now();
    for (int i = 0; i < ROUNDS; i++)
        if (write(a, &byte, 1) != 1 || read(a, &byte, 1) != 1)
            exit(1);
    double each = (now() - start) / ROUNDS;
    byte = 'q';
    if (write(a, &byte, 1) == 1)
        waitpid(pid, NULL, 0);
    close(a);
    close(b);
    return each;
}

static double tcp_pingpong(void)
{
    int c, s;
    pair(&c, &s);
    return pingpong(c, s);
}

static double udp_pingpong(void)
{
    int a = listener(SOCK_DGRAM);
    struct sockaddr_in of_a = address;
    int b = listener(SOCK_DGRAM);
    if (connect(a, (struct sockaddr *)&address, sizeof address) || connect(b, (struct sockaddr *)&of_a, sizeof of_a))
        exit(1);
    return pingpong(a, b);
}

static double tcp_connect(void)
{
    enum { ROUNDS = 5000 };
    int l = listener(SOCK_STREAM);
    double start = now();
    for (int i = 0; i < ROUNDS; i++) {
        int c = client(SOCK_STREAM), s = accept(l, NULL, NULL);
        close(c);
        close(s);
    }
    close(l);
    return (now() - start) / ROUNDS;
}

static double tcp_bulk(void)
{
    enum { WRITES = 30000 };
    static char buf[CHUNK];
    int c, s;
    pair(&c, &s);
    pid_t pid = fork();
    if (pid == 0) {
        close(c);
        while (read(s, buf, sizeof buf) > 0)
            ;
        _exit(0);
    }
    close(s);
    double start = now();
    for (int i = 0; i < WRITES; i++)
        if (write(c, buf, sizeof buf) != sizeof buf)
            exit(1);
    close(c);
    waitpid(pid, NULL, 0);
    return (now() - start) / WRITES;
}

static double tcp_idle(void)
{
    enum { COUNT = 10000 };
    static int fds[2 * COUNT];
    struct rlimit limit = {2 * COUNT + 100, 2 * COUNT + 100};
    setrlimit(RLIMIT_NOFILE, &limit);
    int l = listener(SOCK_STREAM);
    double start = now();
    for (int i = 0; i < COUNT; i++) {
        fds[2 * i] = client(SOCK_STREAM);
        fds[2 * i + 1] = accept(l, NULL, NULL);
    }
    double each = (now() - start) / 1e3 / COUNT;
    for (int i = 0; i < 2 * COUNT; i++)
        close(fds[i]);
    close(l);
    return each;
}

static const struct {
    const char *name;
    double (*run)(void);
} benches[] = {
    {"tcp_pingpong", tcp_pingpong}, {"udp_pingpong", udp_pingpong}, {"tcp_connect", tcp_connect},
    {"tcp_bulk", tcp_bulk},         {"tcp_idle", tcp_idle},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
        int wanted = argc == 1;
        for (int k = 1; k < argc; k++)
            wanted |= strcmp(argv[k], benches[i].name) == 0;
        if (wanted) {
            printf("%s\t%.1f\n", benches[i].name, benches[i].run());
            fflush(stdout);
        }
    }
    return 0;
}
