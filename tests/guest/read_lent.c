/* Reading a file again and again, as it is read by the stub itself: positions, ends, bad memory, other files in turn,
 * fork, exec-like changes of descriptors, truncation. */
#define _GNU_SOURCE
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (300 * 1024 + 123)
static unsigned char want[SIZE], got[SIZE + 4096];

static int make(const char *name, unsigned seed)
{
    for (size_t i = 0; i < SIZE; i++)
        want[i] = (unsigned char)((i * 7 + (i >> 8) + seed) & 0xff);
    int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0600);
    CHECK(fd >= 0 && write(fd, want, SIZE) == SIZE);
    return fd;
}

static void sequential(int fd, size_t step)
{
    size_t done = 0;
    ssize_t n;
    memset(got, 0xee, sizeof(got));
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    while ((n = read(fd, got + done, step)) > 0)
        done += (size_t)n;
    CHECK(n == 0 && done == SIZE && memcmp(got, want, SIZE) == 0 && got[SIZE] == 0xee);
}

static void at_ends(int fd)
{
    for (int i = 0; i < 8; i++) {
        CHECK(pread(fd, got, 4096, SIZE - 100) == 100 && memcmp(got, want + SIZE - 100, 100) == 0);
        CHECK(pread(fd, got, 4096, SIZE) == 0 && pread(fd, got, 4096, SIZE + 5000) == 0);
        CHECK(pread(fd, got, 4096, 4096 * i) == 4096 && memcmp(got, want + 4096 * i, 4096) == 0);
    }
}

static void bad_memory(int fd)
{
    char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED && munmap(p + 4096, 4096) == 0 && mprotect(p + 8192, 4096, PROT_READ) == 0);
    for (int i = 0; i < 6; i++) {
        CHECK(pread(fd, p + 4096, 4096, 0) == -1 && errno == EFAULT);
        CHECK(pread(fd, p + 8192, 4096, 0) == -1 && errno == EFAULT);
        CHECK(pread(fd, p, 4096, 0) == 4096 && memcmp(p, want, 4096) == 0);
    }
    munmap(p, 3 * 4096);
}

/* Two files by turns, one closed and another opened under its number: never the wrong file's bytes. */
static void other_files(void)
{
    char zero[4096];
    memset(zero, 0, sizeof(zero));
    for (int round = 0; round < 5; round++) {
        int a = make("lent_a", (unsigned)round), b = open("lent_b", O_CREAT | O_TRUNC | O_RDWR, 0600);
        CHECK(a >= 0 && b >= 0 && ftruncate(b, SIZE) == 0);
        for (int i = 0; i < 6; i++) {
            CHECK(pread(a, got, 4096, 8192) == 4096 && memcmp(got, want + 8192, 4096) == 0);
            CHECK(round % 2 || (pread(b, got, 4096, 8192) == 4096 && memcmp(got, zero, 4096) == 0));
        }
        CHECK(dup2(b, a) == a && pread(a, got, 4096, 8192) == 4096 && memcmp(got, zero, 4096) == 0);
        close(a);
        close(b);
    }
}

static void child_reads(int fd)
{
    for (int i = 0; i < 6; i++)
        CHECK(pread(fd, got, 8192, 0) == 8192);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 6; i++)
            if (pread(fd, got, 8192, 4096) != 8192 || memcmp(got, want + 4096, 8192))
                _exit(1);
        close(fd);
        int other = open("/bin/sh", O_RDONLY);
        _exit(pread(other, got, 8192, 0) == 8192 && memcmp(got, "\177ELF", 4) == 0 ? 0 : 2);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(pread(fd, got, 8192, 4096) == 8192 && memcmp(got, want + 4096, 8192) == 0);
}

static void *thread_reads(void *arg)
{
    static unsigned char mine[8192];
    int fd = *(int *)arg;
    for (int i = 0; i < 200; i++)
        if (pread(fd, mine, sizeof(mine), 4096) != sizeof(mine) || memcmp(mine, want + 4096, sizeof(mine)))
            return arg;
    return NULL;
}

static void threads(int fd)
{
    pthread_t t;
    void *bad;
    CHECK(pthread_create(&t, NULL, thread_reads, &fd) == 0);
    for (int i = 0; i < 200; i++)
        CHECK(pread(fd, got, 8192, 8192) == 8192 && memcmp(got, want + 8192, 8192) == 0);
    CHECK(pthread_join(t, &bad) == 0 && bad == NULL);
}

static void shrinks_and_grows(int fd)
{
    for (int i = 0; i < 6; i++)
        CHECK(pread(fd, got, 4096, 100000) == 4096);
    CHECK(ftruncate(fd, 100100) == 0 && pread(fd, got, 4096, 100000) == 100);
    CHECK(ftruncate(fd, SIZE) == 0 && pread(fd, got, 4096, 100000) == 4096);
    CHECK(memcmp(got, want + 100000, 100) == 0 && got[100] == 0 && got[4095] == 0);
    CHECK(pwrite(fd, "x", 1, 101000) == 1 && pread(fd, got, 4096, 100000) == 4096 && got[1000] == 'x');
}

int main(void)
{
    int fd = make("lent", 3), ro = open("lent", O_RDONLY);
    CHECK(ro >= 0);
    sequential(fd, 4096);
    sequential(ro, 5000);
    sequential(ro, 128 * 1024);
    at_ends(fd);
    at_ends(ro);
    bad_memory(ro);
    child_reads(ro);
    threads(ro);
    shrinks_and_grows(fd);
    other_files();
    return 0;
}
