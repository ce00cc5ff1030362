// A server thread pool and client threads over one listener: every byte comes back.
#include "expect.h"
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CLIENTS 6
#define ROUNDS 30

static struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "sock"};
static int listener, served;

static void *server(void *arg)
{
    char buf[3000];
    int s;
    while ((s = accept(listener, NULL, NULL)) >= 0) {
        ssize_t n;
        while ((n = read(s, buf, sizeof buf)) > 0)
            CHECK_EQ(send(s, buf, (size_t)n, MSG_NOSIGNAL), n);
        close(s);
        __atomic_fetch_add(&served, 1, __ATOMIC_SEQ_CST);
    }
    return arg;
}

static void *client(void *arg)
{
    char out[5000], in[5000];
    memset(out, (int)(intptr_t)arg + 1, sizeof out);
    for (int i = 0; i < ROUNDS; i++) {
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(connect(s, (void *)&a, sizeof a), 0);
        CHECK_EQ(write(s, out, sizeof out), sizeof out);
        CHECK_EQ(shutdown(s, SHUT_WR), 0);
        CHECK_EQ(recv(s, in, sizeof in, MSG_WAITALL), sizeof in);
        CHECK(memcmp(in, out, sizeof in) == 0);
        CHECK_EQ(read(s, in, 1), 0);
        close(s);
    }
    return NULL;
}

int main(void)
{
    pthread_t c[CLIENTS], s[3];
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(bind(listener, (void *)&a, sizeof a) | listen(listener, 2), 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&s[i], NULL, server, NULL);
    for (long i = 0; i < CLIENTS; i++)
        pthread_create(&c[i], NULL, client, (void *)i);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(c[i], NULL);
    CHECK_EQ(shutdown(listener, SHUT_RDWR), 0); // wakes the servers
    for (int i = 0; i < 3; i++)
        pthread_join(s[i], NULL);
    CHECK_EQ(served, CLIENTS * ROUNDS);
    return check_done();
}
