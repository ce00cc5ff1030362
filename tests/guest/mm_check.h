/* What the memory tests share: CHECK() says what failed and where, and goes on; main() ends with CHECK_EXIT(). */
#pragma once
#pragma GCC diagnostic ignored "-Wstringop-overflow" /* bad pointers are the point */
#pragma GCC diagnostic ignored "-Wstringop-overread"
#pragma GCC diagnostic ignored "-Wnonnull"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int check_failures;
#define CHECK(cond)                                                                          \
    do {                                                                                     \
        if (!(cond)) {                                                                       \
            printf("%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #cond, errno);              \
            check_failures++;                                                                \
        }                                                                                    \
    } while (0)
/* expr gives -1 or MAP_FAILED with this errno. */
#define CHECK_ERR(expr, err)                                                                 \
    do {                                                                                     \
        errno = 0;                                                                           \
        long check_ret_ = (long)(expr);                                                      \
        if (check_ret_ != -1 || errno != (err)) {                                            \
            printf("%s:%d: %s gave %ld, errno %d, not %s\n", __FILE__, __LINE__, #expr,      \
                   check_ret_, errno, #err);                                                 \
            check_failures++;                                                                \
        }                                                                                    \
    } while (0)
#define CHECK_EXIT() return check_failures != 0
#define PAGE 4096UL

/* Runs fn in a child: its wait status. */
static inline int check_child(void (*fn)(void))
{
    int status = -1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        fn();
        fflush(stdout);
        _exit(check_failures != 0);
    }
    waitpid(pid, &status, 0);
    return status;
}
#define CHECK_CHILD_OK(fn) CHECK(check_child(fn) == 0)
#define CHECK_CHILD_DIES(fn, sig)                                              \
    do {                                                                       \
        int check_status_ = check_child(fn);                                   \
        CHECK(WIFSIGNALED(check_status_) && WTERMSIG(check_status_) == (sig)); \
    } while (0)

static inline char *map_anon(size_t len, int prot)
{
    char *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(99);
    }
    return p;
}

/* A scratch file of n bytes, byte i being i / PAGE + 1, open read-write. */
static inline int scratch_file(const char *name, size_t n)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (size_t at = 0; fd >= 0 && at < n; at += PAGE) {
        char page[PAGE];
        memset(page, (int)(at / PAGE + 1), PAGE);
        if (write(fd, page, n - at < PAGE ? n - at : PAGE) < 0)
            exit(98);
    }
    return fd;
}

/* The line of /proc/self/maps that holds addr: start, end, permissions, name (or NULL). 0: none. */
static inline int maps_line(const void *addr, unsigned long *start, unsigned long *end, char perms[5], char *name)
{
    char line[512];
    int found = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && !found && fgets(line, sizeof(line), f)) {
        char n[300] = "";
        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %299[^\n]", start, end, perms, n) >= 3)
            found = (unsigned long)addr >= *start && (unsigned long)addr < *end;
        if (found && name)
            strcpy(name, n);
    }
    if (f)
        fclose(f);
    return found;
}

/* Does touching the byte fault? With faults_init() done. */
#include <setjmp.h>
static sigjmp_buf faults_back;
static volatile int faults_code;
static void *volatile faults_addr;
static inline void faults_handler(int sig, siginfo_t *info, void *uc)
{
    faults_code = info->si_code;
    faults_addr = info->si_addr;
    siglongjmp(faults_back, sig);
}
static inline void faults_init(void)
{
    struct sigaction sa = {.sa_sigaction = faults_handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
}
static inline int read_faults(volatile char *p)
{
    int sig = sigsetjmp(faults_back, 1);
    if (!sig)
        (void)*p;
    return sig;
}
static inline int write_faults(volatile char *p)
{
    int sig = sigsetjmp(faults_back, 1);
    if (!sig)
        *p = 1;
    return sig;
}
