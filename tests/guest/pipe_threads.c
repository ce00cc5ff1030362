// Many writers and readers on one small pipe: records stay whole, none is lost or doubled.
#include "expect.h"
#include <pthread.h>

#define WRITERS 4
#define READERS 3
#define RECORDS 1500

struct record {
    int writer, number;
    char fill[24];
};

static int p[2];
static unsigned char seen[WRITERS][RECORDS];

static void *writer(void *arg)
{
    struct record r = {.writer = (int)(intptr_t)arg};
    memset(r.fill, 'a' + r.writer, sizeof r.fill);
    for (r.number = 0; r.number < RECORDS; r.number++)
        CHECK_EQ(write(p[1], &r, sizeof r), sizeof r);
    return NULL;
}

static void *reader(void *arg)
{
    struct record r;
    ssize_t n;
    while ((n = read(p[0], &r, sizeof r)) > 0) {
        CHECK_EQ(n, sizeof r);
        CHECK(r.fill[0] == 'a' + r.writer && r.fill[23] == 'a' + r.writer);
        __atomic_fetch_add(&seen[r.writer][r.number], 1, __ATOMIC_SEQ_CST);
    }
    return arg;
}

int main(void)
{
    pthread_t w[WRITERS], r[READERS];
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 4096), 4096);
    for (long i = 0; i < READERS; i++)
        pthread_create(&r[i], NULL, reader, NULL);
    for (long i = 0; i < WRITERS; i++)
        pthread_create(&w[i], NULL, writer, (void *)i);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(w[i], NULL);
    close(p[1]);
    for (int i = 0; i < READERS; i++)
        pthread_join(r[i], NULL);
    for (int i = 0; i < WRITERS; i++)
        for (int k = 0; k < RECORDS; k++)
            CHECK_EQ(seen[i][k], 1);
    return check_done();
}
