// Many threads on internet sockets at once: echo servers, shutdown under a blocked reader, resets, connects to a
// listener that ends.
// timeout: 60
#include "inet.h"
#include <pthread.h>

#define THREADS 6

static int listener, stop_port;

static void *serve(void *arg)
{
    char b[4096];
    for (;;) {
        int s = accept(listener, NULL, NULL);
        if (s < 0)
            return NULL;
        for (ssize_t n; (n = recv(s, b, sizeof b, 0)) > 0;)
            for (ssize_t at = 0, m; at < n; at += m)
                if ((m = send(s, b + at, (size_t)(n - at), MSG_NOSIGNAL)) < 0)
                    break;
        close(s);
    }
}

static void *ask(void *arg)
{
    char out[5000], in[5000];
    memset(out, (int)(intptr_t)arg, sizeof out);
    for (int i = 0; i < 200; i++) {
        int c = socket(AF_INET, SOCK_STREAM, 0);
        size_t len = (size_t)(i * 37 % 5000 + 1), got = 0;
        CHECK_EQ(connect4(c, INADDR_LOOPBACK, stop_port), 0);
        CHECK_EQ(send(c, out, len, MSG_NOSIGNAL), len);
        if (i % 3 == 0)
            shutdown(c, SHUT_WR);
        while (got < len) {
            ssize_t n = recv(c, in + got, len - got, 0);
            CHECK(n > 0);
            if (n <= 0)
                break;
            got += (size_t)n;
        }
        CHECK(memcmp(in, out, len) == 0);
        if (i % 7 == 0) {
            struct linger l = {1, 0};
            setsockopt(c, SOL_SOCKET, SO_LINGER, &l, sizeof l);
        }
        close(c);
    }
    return NULL;
}

static void echo(void)
{
    pthread_t servers[THREADS], clients[THREADS];
    listener = listener4(100);
    stop_port = port_of(listener);
    for (intptr_t i = 0; i < THREADS; i++) {
        pthread_create(&servers[i], NULL, serve, NULL);
        pthread_create(&clients[i], NULL, ask, (void *)i);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(clients[i], NULL);
    shutdown(listener, SHUT_RDWR);
    for (int i = 0; i < THREADS; i++)
        pthread_join(servers[i], NULL);
    close(listener);
}

static void *read_all(void *arg)
{
    char b[512];
    while (recv((int)(intptr_t)arg, b, sizeof b, 0) > 0)
        ;
    return NULL;
}

static void *write_all(void *arg)
{
    static char b[50000];
    while (send((int)(intptr_t)arg, b, sizeof b, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

/* Readers and writers on both ends of one connection, ended in different ways by somebody else. */
static void ends(void)
{
    for (int i = 0; i < 60; i++) {
        int c, s;
        pthread_t t[4];
        tcp_pair(&c, &s);
        pthread_create(&t[0], NULL, read_all, (void *)(intptr_t)c);
        pthread_create(&t[1], NULL, write_all, (void *)(intptr_t)c);
        pthread_create(&t[2], NULL, read_all, (void *)(intptr_t)s);
        pthread_create(&t[3], NULL, write_all, (void *)(intptr_t)s);
        check_sleep_ms(2);
        struct sockaddr none = {.sa_family = AF_UNSPEC};
        if (i % 3 == 0)
            connect(c, &none, sizeof none);
        else
            shutdown(i & 1 ? c : s, SHUT_RDWR);
        if (i % 3 != 0)
            shutdown(i & 1 ? s : c, SHUT_RDWR);
        for (int k = 0; k < 4; k++)
            pthread_join(t[k], NULL);
        close(c);
        close(s);
    }
}

static volatile int done;

static void *flap(void *arg)
{
    for (int i = 0; i < 150; i++) {
        int l = socket(AF_INET, SOCK_STREAM, 0), on = 1;
        setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(l, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        if (bind4(l, INADDR_LOOPBACK, stop_port) == 0 && listen(l, i % 3) == 0) {
            fcntl(l, F_SETFL, O_NONBLOCK);
            for (int k = 0; k < 20; k++) {
                int s = accept(l, NULL, NULL);
                if (s >= 0)
                    close(s);
                else
                    sched_yield();
            }
        }
        close(l);
    }
    done = 1;
    return NULL;
}

static void *knock(void *arg)
{
    while (!done) {
        int c = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(c, F_SETFL, O_NONBLOCK);
        connect4(c, INADDR_LOOPBACK, stop_port);
        poll_now(c, POLLOUT);
        send(c, "x", 1, MSG_NOSIGNAL);
        close(c);
    }
    return NULL;
}

static void flapping_listener(void)
{
    pthread_t t[4];
    int s = socket(AF_INET, SOCK_STREAM, 0);
    bind4(s, INADDR_LOOPBACK, 0);
    stop_port = port_of(s);
    close(s);
    pthread_create(&t[0], NULL, flap, NULL);
    for (int i = 1; i < 4; i++)
        pthread_create(&t[i], NULL, knock, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    echo();
    ends();
    flapping_listener();
    return check_done();
}
