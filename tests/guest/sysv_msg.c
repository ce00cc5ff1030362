/* msgget(2), msgop(2), msgctl(2): results, errors, selection by type, waiting. */
#include "each.h"
#include <limits.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct buf {
    long type;
    char text[9000];
};

static int sendm(int id, long type, const char *text, int flags)
{
    struct buf b = {.type = type};
    strcpy(b.text, text);
    return msgsnd(id, &b, strlen(text), flags);
}

static struct buf got;

static long receive(int id, long type, int flags)
{
    memset(&got, 0, sizeof(got));
    return msgrcv(id, &got, 100, type, flags | IPC_NOWAIT);
}

static struct msqid_ds stat_of(int id)
{
    struct msqid_ds ds;
    memset(&ds, 0, sizeof(ds));
    CHECK(msgctl(id, IPC_STAT, &ds) == 0);
    return ds;
}

static void get_errors(void)
{
    key_t key = 0x70696321;
    FAILS(msgget(key, 0600), ENOENT);
    int id = msgget(key, IPC_CREAT | 0640);
    HOLDS(id >= 0);
    IS(msgget(key, 0), id);
    FAILS(msgget(key, IPC_CREAT | IPC_EXCL), EEXIST);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setgid(65533) == 0 && setuid(65533) == 0);
        FAILS(msgget(key, 0400), EACCES);
        FAILS(sendm(id, 1, "x", 0), EACCES);
        FAILS(receive(id, 0, 0), EACCES);
        FAILS(msgctl(id, IPC_STAT, (struct msqid_ds *)&got), EACCES);
        FAILS(msgctl(id, IPC_SET, (struct msqid_ds *)&got), EPERM);
        FAILS(msgctl(id, IPC_RMID, NULL), EPERM);
        _exit(each_failed());
    }
    exits_with(pid, 0);
    IS(msgctl(id, IPC_RMID, NULL), 0);
    FAILS(msgctl(id, IPC_RMID, NULL), EINVAL);
    FAILS(sendm(id, 1, "x", 0), EINVAL);
    FAILS(receive(id, 1, 0), EINVAL);
}

static void control(void)
{
    int id = msgget(IPC_PRIVATE, 0600);
    struct msqid_ds ds = stat_of(id);
    struct msginfo info;
    IS(ds.msg_qbytes, 16384);
    IS(ds.msg_perm.mode, 0600);
    IS(ds.msg_qnum + ds.__msg_cbytes, 0);
    IS(ds.msg_stime + ds.msg_rtime + ds.msg_lspid + ds.msg_lrpid, 0);
    HOLDS(time(NULL) - ds.msg_ctime < 5);
    ds.msg_qbytes = 100;
    ds.msg_perm.mode = 0444;
    IS(msgctl(id, IPC_SET, &ds), 0);
    IS(stat_of(id).msg_qbytes, 100);
    IS(stat_of(id).msg_perm.mode, 0444);
    FAILS(msgctl(id, IPC_STAT, (void *)8), EFAULT);
    FAILS(msgctl(id, IPC_SET, (void *)8), EFAULT);
    FAILS(msgctl(id, 12345, &ds), EINVAL);
    FAILS(msgctl(id, -1, &ds), EINVAL);
    FAILS(msgctl(-1, IPC_STAT, &ds), EINVAL);
    int highest = msgctl(0, IPC_INFO, (void *)&info);
    HOLDS(highest >= 0);
    IS(info.msgmax, 8192);
    IS(info.msgmnb, 16384);
    IS(info.msgmni, 32000);
    IS(info.msgpool, 512000);
    IS(info.msgmap, 16384);
    IS(info.msgssz, 16);
    IS(info.msgtql, 16384);
    IS(info.msgseg, 0xffff);
    sendm(id, 1, "abc", 0);
    IS(msgctl(0, MSG_INFO, (void *)&info), highest);
    HOLDS(info.msgpool >= 1 && info.msgmap >= 1 && info.msgtql >= 3);
    int found = 0;
    for (int i = 0; i <= highest; i++)
        found += msgctl(i, MSG_STAT, &ds) == id;
    IS(found, 1);
    FAILS(msgctl(highest + 1, MSG_STAT, &ds), EINVAL);
    IS(msgctl(id, IPC_RMID, NULL), 0);
}

static void selection(void)
{
    int id = msgget(IPC_PRIVATE, 0600);
    FAILS(sendm(id, 0, "x", 0), EINVAL);
    FAILS(sendm(id, -1, "x", 0), EINVAL);
    FAILS(msgsnd(id, (void *)8, 1, 0), EFAULT);
    FAILS(msgsnd(id, &got, 8193, 0), EINVAL);
    got.type = 1;
    FAILS(msgsnd(id, &got, 8193, 0), EINVAL);
    FAILS(msgsnd(id, &got, (size_t)-1, 0), EINVAL);
    FAILS(msgsnd(-1, &got, 1, 0), EINVAL);
    FAILS(msgrcv(-1, &got, 1, 0, IPC_NOWAIT), EINVAL);
    FAILS(msgrcv(id, &got, (size_t)-1, 0, IPC_NOWAIT), EINVAL);
    FAILS(receive(id, 0, 0), ENOMSG);
    got.type = 1;
    IS(msgsnd(id, &got, 0, 0), 0);
    IS(stat_of(id).msg_qnum, 1);
    IS(receive(id, 0, 0), 0);
    sendm(id, 5, "five", 0);
    sendm(id, 3, "three", 0);
    sendm(id, 4, "four", 0);
    sendm(id, 3, "again", 0);
    sendm(id, 9, "nine", 0);
    IS(stat_of(id).msg_qnum, 5);
    IS(stat_of(id).__msg_cbytes, 22);
    IS(stat_of(id).msg_lspid, getpid());
    FAILS(receive(id, 7, 0), ENOMSG);
    FAILS(receive(id, -2, 0), ENOMSG);
    IS(receive(id, 3, 0), 5);
    IS(strcmp(got.text, "three"), 0);
    IS(got.type, 3);
    IS(receive(id, -4, 0), 5);
    IS(strcmp(got.text, "again"), 0);
    IS(receive(id, 5, MSG_EXCEPT), 4);
    IS(strcmp(got.text, "four"), 0);
    IS(receive(id, 1, 040000 /* MSG_COPY */), 4);
    IS(strcmp(got.text, "nine"), 0);
    FAILS(receive(id, 2, 040000), ENOMSG);
    FAILS(receive(id, 0, 040000 | MSG_EXCEPT), EINVAL);
    FAILS(msgrcv(id, &got, 100, 0, 040000), EINVAL);
    FAILS(msgrcv(id, &got, 2, 0, 040000 | IPC_NOWAIT), E2BIG);
    FAILS(msgrcv(id, &got, 2, 0, 040000 | IPC_NOWAIT | MSG_NOERROR), EINVAL);
    IS(stat_of(id).msg_qnum, 2);
    FAILS(msgrcv(id, &got, 3, 0, 0), E2BIG);
    IS(msgrcv(id, &got, 3, 0, MSG_NOERROR), 3);
    IS(memcmp(got.text, "fiv", 3), 0);
    IS(stat_of(id).msg_lrpid, getpid());
    IS(receive(id, LONG_MIN, 0), 4);
    sendm(id, 9, "nine", 0);
    FAILS(msgrcv(id, (void *)8, 100, 0, 0), EFAULT);
    IS(stat_of(id).msg_qnum, 0); /* gone all the same */
    got.type = 1;
    IS(msgsnd(id, &got, 8192, 0), 0);
    IS(msgsnd(id, &got, 8192, 0), 0);
    FAILS(msgsnd(id, &got, 1, IPC_NOWAIT), EAGAIN);
    IS(msgsnd(id, &got, 0, IPC_NOWAIT), 0);
    IS(msgctl(id, IPC_RMID, NULL), 0);
}

static int shared_id;
static volatile int caught;

static void on_signal(int sig)
{
    caught++;
}

static int receiver(void)
{
    struct buf b;
    long n = msgrcv(shared_id, &b, 4, 7, 0);
    return n == 4 && !memcmp(b.text, "text", 4) ? 0 : n < 0 ? errno : 99;
}

static int sender(void)
{
    struct buf b = {.type = 2};
    return msgsnd(shared_id, &b, 8192, 0) == 0 ? 0 : errno;
}

static int signalled(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &sa, NULL);
    struct buf b;
    return msgrcv(shared_id, &b, 4, 7, 0) == -1 && errno == EINTR && caught ? 0 : 1;
}

static void waiting(void)
{
    int id = shared_id = msgget(IPC_PRIVATE, 0600);
    pid_t a = child(receiver);
    sleep_ms(50);
    IS(sendm(id, 6, "none", 0), 0);
    IS(sendm(id, 7, "text", 0), 0);
    exits_with(a, 0);
    IS(stat_of(id).msg_lrpid, a);
    a = child(receiver);
    sleep_ms(50);
    IS(sendm(id, 7, "too long", 0), 0);
    exits_with(a, E2BIG);
    IS(receive(id, 7, 0), 8); /* or the child would meet it */
    a = child(signalled);
    sleep_ms(50);
    kill(a, SIGUSR1);
    exits_with(a, 0);
    got.type = 1;
    IS(msgsnd(id, &got, 8192, 0), 0);
    a = child(sender);
    pid_t b = child(sender);
    sleep_ms(50);
    IS(msgrcv(id, &got, 9000, 1, 0), 8192);
    IS(receive(id, 6, 0), 4);
    sleep_ms(20);
    exits_with(a, 0);
    exits_with(b, 0);
    IS(stat_of(id).msg_qnum, 2);
    a = child(sender);
    b = child(receiver);
    sleep_ms(50);
    IS(msgctl(id, IPC_RMID, NULL), 0);
    exits_with(a, EIDRM);
    exits_with(b, EIDRM);
}

int main(void)
{
    get_errors();
    control();
    selection();
    waiting();
    return each_failed();
}
