/* process_vm_readv(2), process_vm_writev(2), kcmp(2). */
#include "check.h"
#include <linux/kcmp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

static char *page; /* three pages, the middle one without access */

static long kcmp(pid_t a, pid_t b, int type, unsigned long i, unsigned long j)
{
    return syscall(SYS_kcmp, a, b, type, i, j);
}

static void memory(pid_t pid)
{
    char buf[16] = {0}, other[16] = {0};
    struct iovec local[2] = {{buf, 4}, {other, 12}}, remote[2] = {{page, 8}, {page + 100, 8}};
    CHECK(process_vm_readv(pid, local, 2, remote, 2, 0) == 16);
    CHECK(memcmp(buf, "abcd", 4) == 0 && memcmp(other, "efgh", 4) == 0);
    CHECK(process_vm_writev(pid, local, 2, remote, 1, 0) == 8);
    CHECK(process_vm_readv(pid, local, 1, &(struct iovec){page + 4, 4}, 1, 0) == 4 && memcmp(buf, "efgh", 4) == 0);
    /* errors */
    CHECK_ERR(process_vm_readv(pid, local, 1, remote, 1, 1), EINVAL);
    CHECK_ERR(process_vm_readv(pid, local, 1025, remote, 1, 0), EINVAL);
    CHECK_ERR(process_vm_readv(pid, local, 1, remote, 1025, 0), EINVAL);
    CHECK_ERR(process_vm_readv(pid, (void *)8, 1, remote, 1, 0), EFAULT);
    CHECK_ERR(process_vm_readv(pid, local, 1, (void *)8, 1, 0), EFAULT);
    CHECK_ERR(process_vm_readv(99999, local, 1, remote, 1, 0), ESRCH);
    CHECK_ERR(process_vm_readv(pid, local, 1, &(struct iovec){(void *)8, 4}, 1, 0), EFAULT);
    CHECK_ERR(process_vm_readv(pid, local, 1, &(struct iovec){page + 4096, 4}, 1, 0), EFAULT);
    CHECK_ERR(process_vm_readv(pid, local, 1, &(struct iovec){page, (size_t)-1}, 1, 0), EINVAL);
    CHECK(process_vm_readv(pid, local, 0, remote, 1, 0) == 0);
    CHECK(process_vm_readv(pid, local, 1, remote, 0, 0) == 0);
    CHECK(process_vm_readv(99999, local, 1, &(struct iovec){page, 0}, 1, 0) == 0);
    /* up to what cannot be read */
    CHECK(process_vm_readv(pid, (struct iovec[]){{buf, 16}}, 1, (struct iovec[]){{page + 100, 8}, {page + 4096, 8}}, 2,
                           0) == 8);
    CHECK_ERR(process_vm_writev(pid, local, 1, &(struct iovec){page + 8192, 4}, 1, 0), EFAULT); /* read-only */
    static char big[300000];
    CHECK(process_vm_readv(getpid(), &(struct iovec){big, 150000}, 1, &(struct iovec){big + 150000, 150000}, 1, 0) ==
          150000);
}

static void comparing(pid_t pid)
{
    pid_t me = getpid();
    int a = open("/dev/null", O_RDONLY), b = dup(a), c = open("/dev/null", O_RDONLY);
    CHECK(kcmp(me, me, KCMP_FILE, (unsigned)a, (unsigned)b) == 0);
    long one = kcmp(me, me, KCMP_FILE, (unsigned)a, (unsigned)c);
    long two = kcmp(me, me, KCMP_FILE, (unsigned)c, (unsigned)a);
    CHECK((one == 1 && two == 2) || (one == 2 && two == 1));
    CHECK(kcmp(me, pid, KCMP_FILE, 0, 0) == 0);
    CHECK(kcmp(me, me, KCMP_VM, 0, 0) == 0 && kcmp(me, pid, KCMP_VM, 0, 0) > 0);
    CHECK(kcmp(me, pid, KCMP_FILES, 0, 0) > 0 && kcmp(me, pid, KCMP_FS, 0, 0) > 0);
    CHECK(kcmp(me, pid, KCMP_SIGHAND, 0, 0) > 0);
    CHECK_ERR(kcmp(me, me, KCMP_FILE, 999, 0), EBADF);
    CHECK_ERR(kcmp(me, 99999, KCMP_VM, 0, 0), ESRCH);
    CHECK_ERR(kcmp(me, me, 99, 0, 0), EINVAL);
}

/* Without privilege: one's own kind, unless it hides. */
static int unprivileged(void)
{
    char buf[4];
    struct iovec local = {buf, 4}, remote = {page, 4};
    int go[2];
    CHECK(setresgid(1234, 1234, 1234) == 0 && setresuid(1234, 1234, 1234) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    CHECK_ERR(process_vm_readv(getppid(), &local, 1, &remote, 1, 0), EPERM);
    CHECK_ERR(kcmp(getpid(), getppid(), KCMP_VM, 0, 0), EPERM);
    CHECK(pipe(go) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        prctl(PR_SET_DUMPABLE, 1);
        CHECK(read(go[0], &c, 1) == 1);
        prctl(PR_SET_DUMPABLE, 0);
        raise(SIGSTOP);
        _exit(0);
    }
    prctl(PR_SET_PTRACER, -1);
    sleep_ms(20);
    CHECK(process_vm_readv(pid, &local, 1, &remote, 1, 0) == 4);
    CHECK(write(go[1], "x", 1) == 1);
    CHECK(waitpid(pid, NULL, WUNTRACED) == pid);
    CHECK_ERR(process_vm_readv(pid, &local, 1, &remote, 1, 0), EPERM);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    CHECK_ERR(open(path, O_RDONLY), EACCES);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    return 0;
}

int main(void)
{
    page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(page, "abcdefgh");
    CHECK(mprotect(page + 4096, 4096, PROT_NONE) == 0 && mprotect(page + 8192, 4096, PROT_READ) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    memory(pid);
    comparing(pid);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK_ERR(process_vm_readv(pid, &(struct iovec){page, 4}, 1, &(struct iovec){page, 4}, 1, 0), ESRCH);
    exits_with(child(unprivileged), 0);
    return 0;
}
