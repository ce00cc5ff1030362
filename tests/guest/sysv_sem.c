/* semget(2), semop(2), semctl(2): results, errors, atomic arrays, waiting, undo. */
#include "each.h"
#include <pthread.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static int op1(int id, int num, int op, int flags)
{
    struct sembuf b = {(unsigned short)num, (short)op, (short)flags};
    return semop(id, &b, 1);
}

static int value(int id, int num)
{
    return semctl(id, num, GETVAL);
}

static int set_value(int id, int num, int v)
{
    return semctl(id, num, SETVAL, (union semun){.val = v});
}

static void get_errors(void)
{
    key_t key = 0x70696311;
    FAILS(semget(key, 1, 0600), ENOENT);
    FAILS(semget(IPC_PRIVATE, 0, 0600), EINVAL);
    FAILS(semget(IPC_PRIVATE, -1, 0600), EINVAL);
    FAILS(semget(IPC_PRIVATE, 32001, 0600), EINVAL);
    FAILS(semget(key, 0, IPC_CREAT | 0600), EINVAL);
    int id = semget(key, 3, IPC_CREAT | 0640);
    HOLDS(id >= 0);
    IS(semget(key, 0, 0), id);
    IS(semget(key, 3, IPC_CREAT), id);
    FAILS(semget(key, 4, 0), EINVAL);
    FAILS(semget(key, 1, IPC_CREAT | IPC_EXCL), EEXIST);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setgid(65533) == 0 && setuid(65533) == 0);
        unsigned short all[3];
        struct semid_ds ds;
        FAILS(semget(key, 0, 0600), EACCES);
        FAILS(op1(id, 0, 1, 0), EACCES);
        FAILS(op1(id, 0, 0, 0), EACCES);
        FAILS(value(id, 0), EACCES);
        FAILS(set_value(id, 0, 1), EACCES);
        FAILS(semctl(id, 0, GETALL, (union semun){.array = all}), EACCES);
        FAILS(semctl(id, 0, SETALL, (union semun){.array = all}), EACCES);
        FAILS(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}), EACCES);
        FAILS(semctl(id, 0, IPC_SET, (union semun){.buf = &ds}), EPERM);
        FAILS(semctl(id, 0, IPC_RMID), EPERM);
        _exit(each_failed());
    }
    exits_with(pid, 0);
    IS(semctl(id, 0, IPC_RMID), 0);
    FAILS(semctl(id, 0, IPC_RMID), EINVAL);
    FAILS(op1(id, 0, 1, 0), EINVAL);
}

static void control(void)
{
    int id = semget(IPC_PRIVATE, 3, 0600);
    struct semid_ds ds;
    struct seminfo info;
    unsigned short all[3] = {9, 9, 9};
    IS(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}), 0);
    IS(ds.sem_nsems, 3);
    IS(ds.sem_otime, 0);
    HOLDS(time(NULL) - ds.sem_ctime < 5);
    IS(ds.sem_perm.mode, 0600);
    IS(semctl(id, 0, GETALL, (union semun){.array = all}), 0);
    IS(all[0] + all[1] + all[2], 0);
    IS(semctl(id, 2, GETPID), 0);
    IS(set_value(id, 2, 32767), 0);
    IS(value(id, 2), 32767);
    IS(semctl(id, 2, GETPID), getpid());
    FAILS(set_value(id, 2, 32768), ERANGE);
    FAILS(set_value(id, 2, -1), ERANGE);
    FAILS(set_value(id, 3, 1), EINVAL);
    FAILS(set_value(id, -1, 1), EINVAL);
    FAILS(value(id, 3), EINVAL);
    FAILS(value(id, -1), EINVAL);
    FAILS(semctl(id, 3, GETPID), EINVAL);
    FAILS(semctl(id, 3, GETNCNT), EINVAL);
    FAILS(semctl(id, 3, GETZCNT), EINVAL);
    all[0] = 1;
    all[1] = 32768;
    FAILS(semctl(id, 0, SETALL, (union semun){.array = all}), ERANGE);
    IS(value(id, 0), 0);
    all[1] = 2;
    all[2] = 3;
    IS(semctl(id, 0, SETALL, (union semun){.array = all}), 0);
    IS(value(id, 1), 2);
    FAILS(semctl(id, 0, SETALL, (union semun){.array = (void *)8}), EFAULT);
    FAILS(semctl(id, 0, GETALL, (union semun){.array = (void *)8}), EFAULT);
    FAILS(semctl(id, 0, IPC_STAT, (union semun){.buf = (void *)8}), EFAULT);
    FAILS(semctl(id, 0, IPC_SET, (union semun){.buf = (void *)8}), EFAULT);
    FAILS(semctl(id, 0, 12345), EINVAL);
    FAILS(semctl(-1, 0, IPC_STAT, (union semun){.buf = &ds}), EINVAL);
    FAILS(semctl(-1, 0, GETVAL), EINVAL);
    FAILS(semctl(-1, 0, IPC_RMID), EINVAL);
    ds.sem_perm.mode = 0444;
    ds.sem_perm.uid = 1;
    IS(semctl(id, 0, IPC_SET, (union semun){.buf = &ds}), 0);
    IS(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}), 0);
    IS(ds.sem_perm.mode, 0444);
    IS(ds.sem_perm.uid, 1);
    int highest = semctl(0, 0, IPC_INFO, (union semun){.info = &info});
    HOLDS(highest >= 0);
    IS(info.semmni, 32000);
    IS(info.semmns, 1024000000);
    IS(info.semmsl, 32000);
    IS(info.semopm, 500);
    IS(info.semvmx, 32767);
    IS(info.semmap, 1024000000);
    IS(info.semmnu, 1024000000);
    IS(info.semume, 500);
    IS(info.semusz, 20);
    IS(info.semaem, 32767);
    IS(semctl(0, 0, SEM_INFO, (union semun){.info = &info}), highest);
    HOLDS(info.semusz >= 1 && info.semaem >= 3);
    int found = 0;
    for (int i = 0; i <= highest; i++)
        found += semctl(i, 0, SEM_STAT, (union semun){.buf = &ds}) == id;
    IS(found, 1);
    FAILS(semctl(highest + 1, 0, SEM_STAT, (union semun){.buf = &ds}), EINVAL);
    IS(semctl(id, 0, IPC_RMID), 0);
}

static void operations(void)
{
    int id = semget(IPC_PRIVATE, 2, 0600);
    struct sembuf many[501] = {{0}};
    struct semid_ds ds;
    IS(op1(id, 0, 5, 0), 0);
    IS(value(id, 0), 5);
    IS(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}), 0);
    HOLDS(ds.sem_otime != 0);
    IS(op1(id, 0, -5, IPC_NOWAIT), 0);
    FAILS(op1(id, 0, -1, IPC_NOWAIT), EAGAIN);
    IS(op1(id, 0, 0, 0), 0);
    IS(op1(id, 0, 1, 0), 0);
    FAILS(op1(id, 0, 0, IPC_NOWAIT), EAGAIN);
    FAILS(op1(id, 2, 1, 0), EFBIG);
    FAILS(semop(id, many, 0), EINVAL);
    FAILS(semop(-1, many, 1), EINVAL);
    FAILS(semop(id, many, 501), E2BIG);
    FAILS(semop(id, (void *)8, 1), EFAULT);
    IS(set_value(id, 1, 32767), 0);
    FAILS(op1(id, 1, 1, 0), ERANGE);
    IS(set_value(id, 1, 0), 0);
    /* All or none. */
    struct sembuf both[] = {{0, -1, 0}, {1, -1, IPC_NOWAIT}};
    FAILS(semop(id, both, 2), EAGAIN);
    IS(value(id, 0), 1);
    struct sembuf in_order[] = {{1, 1, 0}, {1, -1, 0}, {0, -1, 0}, {0, 0, 0}};
    IS(semop(id, in_order, 4), 0);
    IS(value(id, 0), 0);
    IS(value(id, 1), 0);
    struct timespec short_time = {0, 50000000}, bad = {0, 1000000000}, negative = {-1, 0};
    struct sembuf take = {0, -1, 0};
    int64_t start = clock_ms(CLOCK_MONOTONIC);
    FAILS(semtimedop(id, &take, 1, &short_time), EAGAIN);
    HOLDS(clock_ms(CLOCK_MONOTONIC) - start >= 49);
    FAILS(semtimedop(id, &take, 1, &bad), EINVAL);
    FAILS(semtimedop(id, &take, 1, &negative), EINVAL);
    FAILS(semtimedop(id, &take, 1, (void *)8), EFAULT);
    FAILS(semtimedop(id, &take, 501, &bad), E2BIG);
    IS(semctl(id, 0, IPC_RMID), 0);
}

static int shared_id;
static volatile int caught;

static void on_signal(int sig)
{
    caught++;
}

static int taker(void)
{
    return op1(shared_id, 0, -2, 0) == 0 ? 0 : errno;
}

static int zero_waiter(void)
{
    return op1(shared_id, 1, 0, 0) == 0 ? 0 : errno;
}

static int signalled(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &sa, NULL);
    int r = op1(shared_id, 0, -2, 0);
    return r == -1 && errno == EINTR && caught ? 0 : 1;
}

static void until(int cmd, int num, int count)
{
    for (int i = 0; i < 2000 && semctl(shared_id, num, cmd) != count; i++)
        sleep_ms(2);
    IS(semctl(shared_id, num, cmd), count);
}

static void waiting(void)
{
    int id = shared_id = semget(IPC_PRIVATE, 2, 0600);
    pid_t a = child(taker), b = child(taker);
    until(GETNCNT, 0, 2);
    IS(op1(id, 0, 1, 0), 0);
    IS(value(id, 0), 1);
    IS(op1(id, 0, 3, 0), 0);
    exits_with(a, 0);
    exits_with(b, 0);
    IS(value(id, 0), 0);
    IS(semctl(id, 0, GETNCNT), 0);
    set_value(id, 1, 1);
    a = child(zero_waiter);
    until(GETZCNT, 1, 1);
    IS(semctl(id, 1, GETNCNT), 0);
    IS(set_value(id, 1, 0), 0);
    exits_with(a, 0);
    IS(semctl(id, 1, GETPID), a);
    a = child(signalled);
    until(GETNCNT, 0, 1);
    kill(a, SIGUSR1);
    exits_with(a, 0);
    a = child(taker);
    until(GETNCNT, 0, 1);
    kill(a, SIGKILL);
    dies_by(a, SIGKILL);
    until(GETNCNT, 0, 0);
    a = child(taker);
    until(GETNCNT, 0, 1);
    IS(semctl(id, 0, IPC_RMID), 0);
    exits_with(a, EIDRM);
}

static int undo_child(void)
{
    IS(op1(shared_id, 0, 3, SEM_UNDO), 0);
    IS(op1(shared_id, 1, -2, SEM_UNDO), 0);
    IS(value(shared_id, 0), 8);
    IS(value(shared_id, 1), 3);
    return each_failed();
}

static int undo_reset_child(void)
{
    IS(op1(shared_id, 0, 3, SEM_UNDO), 0);
    IS(set_value(shared_id, 0, 20), 0); /* clears what is owed */
    return each_failed();
}

static void *undo_thread(void *arg)
{
    IS(op1(shared_id, 0, 1, SEM_UNDO), 0);
    return NULL;
}

static int undo_threads(void)
{
    pthread_t t;
    pthread_create(&t, NULL, undo_thread, NULL);
    pthread_join(t, NULL);
    IS(value(shared_id, 0), 6); /* a thread's end is not the process's */
    IS(unshare(CLONE_SYSVSEM), 0);
    return each_failed();
}

static int undo_range(void)
{
    IS(set_value(shared_id, 0, 0), 0);
    IS(op1(shared_id, 0, 32767, SEM_UNDO), 0);
    IS(op1(shared_id, 0, -32767, 0), 0);
    IS(op1(shared_id, 0, 1, SEM_UNDO), 0);
    FAILS(op1(shared_id, 0, 1, SEM_UNDO), ERANGE);
    IS(op1(shared_id, 0, 100, 0), 0);
    return each_failed();
}

static void undo(void)
{
    int id = shared_id = semget(IPC_PRIVATE, 2, 0600);
    set_value(id, 0, 5);
    set_value(id, 1, 5);
    exits_with(child(undo_child), 0);
    IS(value(id, 0), 5);
    IS(value(id, 1), 5);
    exits_with(child(undo_threads), 0);
    IS(value(id, 0), 5);
    exits_with(child(undo_reset_child), 0);
    IS(value(id, 0), 20);
    exits_with(child(undo_range), 0);
    IS(value(id, 0), 0);
    IS(semctl(id, 0, IPC_RMID), 0);
}

int main(void)
{
    get_errors();
    control();
    operations();
    waiting();
    undo();
    return each_failed();
}
