/* shmget(2), shmop(2), shmctl(2): results and errors, attach counts over fork, exec and exit, and names in maps. */
#include "each.h"
#include <limits.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>

#define BAD ((void *)-1)
#ifndef SHM_HUGETLB
#define SHM_HUGETLB 04000
#endif

static void as_nobody(void)
{
    CHECK(setgid(65533) == 0 && setuid(65533) == 0);
}

static struct shmid_ds stat_of(int id)
{
    struct shmid_ds ds;
    memset(&ds, 0, sizeof(ds));
    CHECK(shmctl(id, IPC_STAT, &ds) == 0);
    return ds;
}

static void get_errors(void)
{
    key_t key = 0x70696301;
    FAILS(shmget(key, 4096, 0600), ENOENT);
    FAILS(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
    FAILS(shmget(key, 0, IPC_CREAT | 0600), EINVAL);
    FAILS(shmget(IPC_PRIVATE, (size_t)-1, 0600), EINVAL);
    int id = shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0640);
    HOLDS(id >= 0);
    IS(shmget(key, 5000, 0), id);
    IS(shmget(key, 0, 0), id);
    IS(shmget(key, 100, IPC_CREAT | 0600), id);
    FAILS(shmget(key, 5001, 0), EINVAL);
    FAILS(shmget(key, 5000, IPC_CREAT | IPC_EXCL), EEXIST);
    FAILS(shmget(key, 90000, IPC_CREAT | IPC_EXCL), EEXIST);
    pid_t pid = fork();
    if (pid == 0) {
        as_nobody();
        FAILS(shmget(key, 0, 0400), EACCES);
        FAILS(shmget(key, 0, 0004), EACCES);
        IS(shmget(key, 0, 0), id);
        FAILS(shmctl(id, IPC_STAT, &(struct shmid_ds){0}), EACCES);
        FAILS(shmctl(id, IPC_RMID, NULL), EPERM);
        FAILS(shmctl(id, IPC_SET, &(struct shmid_ds){0}), EPERM);
        FAILS(shmctl(id, SHM_LOCK, NULL), EPERM);
        FAILS(shmctl(id, SHM_UNLOCK, NULL), EPERM);
        FAILS((long)shmat(id, NULL, 0), EACCES);
        FAILS((long)shmat(id, NULL, SHM_RDONLY), EACCES);
        FAILS(shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | 0600), EPERM);
        _exit(each_failed());
    }
    exits_with(pid, 0);
    IS(shmctl(id, IPC_RMID, NULL), 0);
    FAILS(shmctl(id, IPC_RMID, NULL), EINVAL);
    FAILS(shmget(key, 4096, 0600), ENOENT);
    int again = shmget(key, 1, IPC_CREAT);
    HOLDS(again != id); /* the sequence number */
    if (again % 32768 == id % 32768)
        FAILS(shmctl(id, IPC_STAT, &(struct shmid_ds){0}), EIDRM);
    shmctl(again, IPC_RMID, NULL);
}

static void control(void)
{
    int id = shmget(IPC_PRIVATE, 5000, 0640);
    struct shmid_ds ds = stat_of(id);
    IS(ds.shm_segsz, 5000);
    IS(ds.shm_perm.mode, 0640);
    IS(ds.shm_perm.uid, geteuid());
    IS(ds.shm_perm.cgid, getegid());
    IS(ds.shm_perm.__key, IPC_PRIVATE);
    IS(ds.shm_cpid, getpid());
    IS(ds.shm_lpid, 0);
    IS(ds.shm_nattch, 0);
    IS(ds.shm_atime, 0);
    IS(ds.shm_dtime, 0);
    HOLDS(time(NULL) - ds.shm_ctime < 5);
    FAILS(shmctl(id, IPC_STAT, (void *)8), EFAULT);
    FAILS(shmctl(id, IPC_SET, (void *)8), EFAULT);
    FAILS(shmctl(id, 12345, &ds), EINVAL);
    FAILS(shmctl(id, -1, &ds), EINVAL);
    FAILS(shmctl(-1, IPC_STAT, &ds), EINVAL);
    FAILS(shmctl(0x7fffffff, IPC_STAT, &ds), EINVAL);
    ds.shm_perm.mode = 0107604;
    ds.shm_perm.uid = 1000;
    ds.shm_perm.gid = 1001;
    IS(shmctl(id, IPC_SET, &ds), 0);
    ds = stat_of(id);
    IS(ds.shm_perm.mode, 0604);
    IS(ds.shm_perm.uid, 1000);
    IS(ds.shm_perm.gid, 1001);
    IS(ds.shm_perm.cuid, 0);
    ds.shm_perm.uid = (uid_t)-1;
    FAILS(shmctl(id, IPC_SET, &ds), EINVAL);
    IS(shmctl(id, SHM_LOCK, NULL), 0);
    IS(stat_of(id).shm_perm.mode, SHM_LOCKED | 0604);
    IS(shmctl(id, SHM_UNLOCK, NULL), 0);
    IS(stat_of(id).shm_perm.mode, 0604);
    struct shminfo info;
    HOLDS(shmctl(0, IPC_INFO, (void *)&info) >= 0);
    IS(info.shmmin, 1);
    IS(info.shmmni, 4096);
    IS(info.shmseg, 4096);
    HOLDS(info.shmmax == ULONG_MAX - (1UL << 24));
    struct shm_info usage;
    int highest = shmctl(0, SHM_INFO, (void *)&usage);
    HOLDS(highest >= 0 && usage.used_ids >= 1 && usage.shm_tot >= 2);
    int found = 0;
    for (int i = 0; i <= highest; i++)
        found += shmctl(i, SHM_STAT, &ds) == id;
    IS(found, 1);
    found = 0;
    for (int i = 0; i <= highest; i++)
        found += shmctl(i, 15 /* SHM_STAT_ANY */, &ds) == id;
    IS(found, 1);
    FAILS(shmctl(0, IPC_INFO, (void *)8), EFAULT);
    FAILS(shmctl(0, SHM_INFO, (void *)8), EFAULT);
    FAILS(shmctl(highest + 1, SHM_STAT, &ds), EINVAL);
    IS(shmctl(id, IPC_RMID, NULL), 0);
}

static void attaching(void)
{
    int id = shmget(IPC_PRIVATE, 3 * 4096 - 100, 0600);
    char *area = mmap(NULL, 8 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAILS((long)shmat(-1, NULL, 0), EINVAL);
    FAILS((long)shmat(id + 1, NULL, 0), EINVAL);
    FAILS((long)shmat(id, area + 1, 0), EINVAL);
    FAILS((long)shmat(id, area, 0), EINVAL);
    FAILS((long)shmat(id, NULL, SHM_REMAP), EINVAL);
    FAILS((long)shmat(id, (void *)100, SHM_REMAP | SHM_RND), EINVAL);
    char *p = shmat(id, area + 4096, SHM_REMAP);
    HOLDS(p == area + 4096);
    IS(stat_of(id).shm_nattch, 1);
    IS(stat_of(id).shm_lpid, getpid());
    HOLDS(stat_of(id).shm_atime != 0);
    memset(p, 0x55, 3 * 4096);
    IS(munmap(area, 8 * 4096), 0); /* unmapped by hand */
    IS(stat_of(id).shm_nattch, 0);
    HOLDS(stat_of(id).shm_dtime != 0);
    p = shmat(id, area + 4096 + 77, SHM_RND);
    HOLDS(p == area + 4096);
    IS(p[3 * 4096 - 101], 0x55);
    char *q = shmat(id, NULL, SHM_RDONLY);
    HOLDS(q != BAD && q != p);
    p[0] = 7;
    IS(q[0], 7);
    FAILS(mprotect(q, 4096, PROT_READ | PROT_WRITE), EACCES);
    IS(stat_of(id).shm_nattch, 2);
    FAILS(shmdt(q + 4096), EINVAL);
    FAILS(shmdt(q + 1), EINVAL);
    FAILS(shmdt(&id), EINVAL);
    IS(shmdt(q), 0);
    FAILS(shmdt(q), EINVAL);
    IS(munmap(p + 4096, 4096), 0); /* a hole: two areas now */
    IS(stat_of(id).shm_nattch, 2);
    IS(shmdt(p), 0);
    IS(stat_of(id).shm_nattch, 0);
    q = shmat(id, NULL, SHM_EXEC);
    HOLDS(q != BAD);
    memcpy(q, "\xb8\x2a\x00\x00\x00\xc3", 6);
    IS(((int (*)(void))q)(), 42);
    /* Removed while attached: it stays until the last detach. */
    IS(shmctl(id, IPC_RMID, NULL), 0);
    IS(stat_of(id).shm_perm.mode, SHM_DEST | 0600);
    p = shmat(id, NULL, 0);
    HOLDS(p != BAD);
    IS(shmdt(p), 0);
    IS(shmdt(q), 0);
    FAILS(shmctl(id, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
}

static int find_line(const char *file, const char *text, char *line)
{
    FILE *f = fopen(file, "r");
    int n = 0;
    CHECK(f);
    while (fgets(line, 512, f))
        if (strstr(line, text) && ++n)
            break;
    fclose(f);
    return n;
}

static void processes(char *self)
{
    char line[512], text[64];
    int id = shmget(0x70696302, 4096, IPC_CREAT | 0600);
    int *p = shmat(id, NULL, 0);
    CHECK(p != BAD);
    *p = 1;
    pid_t pid = fork();
    if (pid == 0) {
        IS(stat_of(id).shm_nattch, 2);
        *p = 2;
        _exit(each_failed());
    }
    exits_with(pid, 0);
    IS(*p, 2);
    IS(stat_of(id).shm_nattch, 1);
    IS(stat_of(id).shm_lpid, pid);
    pid = fork();
    if (pid == 0) {
        sprintf(text, "%d", id);
        execl(self, self, text, NULL);
        _exit(9);
    }
    exits_with(pid, 0);
    pid = vfork();
    if (pid == 0) {
        sprintf(text, "%d", id);
        execl(self, self, text, NULL);
        _exit(9);
    }
    exits_with(pid, 0);
    IS(stat_of(id).shm_nattch, 1);
    HOLDS(find_line("/proc/self/maps", "/SYSV70696302 (deleted)", line));
    unsigned long start, end, offset, ino;
    unsigned major, minor;
    char prot[8];
    IS(sscanf(line, "%lx-%lx %7s %lx %x:%x %lu", &start, &end, prot, &offset, &major, &minor, &ino), 7);
    IS(start, (unsigned long)p);
    IS(end - start, 4096);
    IS(strcmp(prot, "rw-s"), 0);
    IS(ino, id);
    HOLDS(find_line("/proc/sysvipc/shm", " 1886 ", line) == 0);
    sprintf(text, "%10d %10d", 0x70696302, id);
    HOLDS(find_line("/proc/sysvipc/shm", text, line));
    unsigned mode, cpid, lpid;
    unsigned long size, nattch;
    IS(sscanf(line + 21, " %o %lu %u %u %lu", &mode, &size, &cpid, &lpid, &nattch), 5);
    IS(mode, 0600);
    IS(size, 4096);
    IS(cpid, getpid());
    IS(nattch, 1);
    IS(shmdt(p), 0);
    IS(shmctl(id, IPC_RMID, NULL), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2) /* exec has detached */
        return stat_of(atoi(argv[1])).shm_nattch == 1 ? 0 : 1;
    get_errors();
    control();
    attaching();
    processes("/proc/self/exe");
    return each_failed();
}
