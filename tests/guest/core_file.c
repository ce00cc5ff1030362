/* core(5): when a core file is written, where, WCOREDUMP, and what is in it. */
#include "check.h"
#include <elf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char dir[] = "/tmp/core_file.XXXXXX";
static char secret[] = "find me in the core file, please";

static int plain_pattern(void)
{
    char text[256] = {0};
    int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    return strcmp(text, "core\n") == 0;
}

static void limit(rlim_t n)
{
    struct rlimit l = {n, n};
    CHECK(setrlimit(RLIMIT_CORE, &l) == 0);
    CHECK(chdir(dir) == 0);
}

static void *sleeper(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static int crashes(void)
{
    pthread_t t;
    limit(64 << 20);
    CHECK(pthread_create(&t, NULL, sleeper, NULL) == 0);
    sleep_ms(50);
    secret[0] = 'F';
    *(volatile int *)0x1238 = 1;
    return 0;
}

static int without_limit(void)
{
    limit(0);
    abort();
}

static int not_dumpable(void)
{
    limit(64 << 20);
    CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
    abort();
}

static int no_core_signal(void)
{
    limit(64 << 20);
    raise(SIGTERM);
    return 0;
}

static int small_limit(void)
{
    limit(8192);
    abort();
}

static char *file;
static size_t size;

static const char *find_note(unsigned type, unsigned nth, size_t *ret_size)
{
    Elf64_Ehdr *e = (void *)file;
    Elf64_Phdr *p = (void *)(file + e->e_phoff);
    CHECK(p[0].p_type == PT_NOTE && p[0].p_offset + p[0].p_filesz <= size);
    for (char *at = file + p[0].p_offset, *end = at + p[0].p_filesz; at < end;) {
        Elf64_Nhdr *n = (void *)at;
        at += sizeof(*n) + ((n->n_namesz + 3) & ~3u);
        if (n->n_type == type && nth-- == 0) {
            *ret_size = n->n_descsz;
            return at;
        }
        at += (n->n_descsz + 3) & ~3u;
    }
    return NULL;
}

static void look_inside(pid_t pid)
{
    size_t n;
    Elf64_Ehdr *e = (void *)file;
    CHECK(memcmp(e->e_ident, ELFMAG, 4) == 0 && e->e_type == ET_CORE && e->e_machine == EM_X86_64);
    const struct elf_prstatus *s = (void *)find_note(NT_PRSTATUS, 0, &n);
    CHECK(s && n == sizeof(*s) && s->pr_pid == pid && s->pr_cursig == SIGSEGV && s->pr_ppid == getpid());
    const struct elf_prstatus *second = (void *)find_note(NT_PRSTATUS, 1, &n);
    CHECK(second && second->pr_pid != pid && !find_note(NT_PRSTATUS, 2, &n));
    const struct elf_prpsinfo *ps = (void *)find_note(NT_PRPSINFO, 0, &n);
    CHECK(ps && n == sizeof(*ps) && strncmp(ps->pr_fname, "core_file", 9) == 0);
    const siginfo_t *info = (void *)find_note(NT_SIGINFO, 0, &n);
    CHECK(info && info->si_signo == SIGSEGV && info->si_addr == (void *)0x1238 && info->si_code == SEGV_MAPERR);
    CHECK(find_note(NT_AUXV, 0, &n) && find_note(NT_FILE, 0, &n) && find_note(NT_FPREGSET, 0, &n) && n == 512);
    Elf64_Phdr *p = (void *)(file + e->e_phoff);
    int found = 0;
    for (unsigned i = 1; i < e->e_phnum; i++) {
        uint64_t offset = (uintptr_t)secret - p[i].p_vaddr;
        CHECK(p[i].p_type == PT_LOAD && p[i].p_offset + p[i].p_filesz <= size);
        if (offset < p[i].p_filesz)
            found += memcmp(file + p[i].p_offset + offset, "Find me in the core", 19) == 0;
    }
    CHECK(found == 1);
}

/* The one file in the directory, mapped; its name ends up in path. */
static int load(char *path)
{
    char command[128], name[64] = "";
    struct stat st;
    snprintf(command, sizeof(command), "ls %s", dir);
    FILE *f = popen(command, "r");
    int any = f && fscanf(f, "%63s", name) == 1;
    pclose(f);
    sprintf(path, "%s/%s", dir, name);
    if (!any)
        return 0;
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0600);
    size = (size_t)st.st_size;
    file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(file != MAP_FAILED);
    close(fd);
    return 1;
}

static int status_of(int (*fn)(void), pid_t *ret)
{
    *ret = child(fn);
    return wait_for(*ret);
}

int main(void)
{
    char path[128];
    pid_t pid;
    CHECK(mkdtemp(dir));
    if (!plain_pattern())
        return 0; /* the host collects them elsewhere */
    int status = status_of(crashes, &pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && WCOREDUMP(status));
    CHECK(load(path));
    look_inside(pid);
    CHECK(unlink(path) == 0);
    status = status_of(without_limit, &pid);
    CHECK(WTERMSIG(status) == SIGABRT && !WCOREDUMP(status) && !load(path));
    status = status_of(not_dumpable, &pid);
    CHECK(WTERMSIG(status) == SIGABRT && !WCOREDUMP(status) && !load(path));
    status = status_of(no_core_signal, &pid);
    CHECK(WTERMSIG(status) == SIGTERM && !WCOREDUMP(status) && !load(path));
    status = status_of(small_limit, &pid);
    CHECK(WTERMSIG(status) == SIGABRT && WCOREDUMP(status) && load(path) && size <= 8192);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
    return 0;
}
