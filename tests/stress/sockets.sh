# Sockets opened, half-closed, reset, abandoned with bytes in them, and thousands of connections at once: afterwards the
# kernel process holds hardly more memory than before.
# timeout: 300
. "$TOP/tests/runtime/lib.sh.inc"
cat >work.c <<'C'
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static char bytes[300000];

static int listener(struct sockaddr_in *a)
{
    int l = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof *a;
    *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(l, (struct sockaddr *)a, len) || listen(l, 4096) || getsockname(l, (struct sockaddr *)a, &len))
        exit(2);
    return l;
}

/* One connection and one of many ways to end it. */
static void connection(int l, struct sockaddr_in *a, unsigned way)
{
    struct linger hard = {1, 0};
    int c = socket(AF_INET, SOCK_STREAM, 0), s = -1;
    fcntl(c, F_SETFL, way & 1 ? O_NONBLOCK : 0);
    connect(c, (struct sockaddr *)a, sizeof *a);
    if (way % 7 != 0)
        s = accept(l, NULL, NULL);
    send(c, bytes, way % 5 == 0 ? sizeof bytes : way % 3000,
         MSG_DONTWAIT | MSG_NOSIGNAL | (way % 11 == 0 ? MSG_OOB : 0));
    if (s >= 0 && way % 3 == 0)
        send(s, bytes, way % 100000, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (way % 4 == 0)
        shutdown(c, (int)(way / 4 % 3));
    if (s >= 0 && way % 6 == 0)
        shutdown(s, (int)(way / 6 % 3));
    if (way % 13 == 0)
        setsockopt(c, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    if (s >= 0 && way % 2 == 0)
        recv(s, bytes, sizeof bytes, MSG_DONTWAIT);
    if (way % 17 == 0) {
        struct sockaddr none = {.sa_family = AF_UNSPEC};
        connect(c, &none, sizeof none);
    }
    if (way % 2)
        close(c);
    if (s >= 0)
        close(s);
    if (way % 2 == 0)
        close(c);
}

static void round_of(int n)
{
    struct sockaddr_in a;
    int l = listener(&a), refused = 0;
    for (int i = 0; i < n * 3000; i++) {
        if (i % 500 == 0) { /* with what was not accepted */
            close(l);
            l = listener(&a);
        }
        connection(l, &a, (unsigned)i);
        if (i % 10 == 0) { /* nobody there */
            struct sockaddr_in none = {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr = a.sin_addr};
            int c = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0);
            refused += connect(c, (struct sockaddr *)&none, sizeof none) != 0;
            sendto(u, "x", 1, 0, (struct sockaddr *)&a, sizeof a);
            close(c);
            close(u);
        }
    }
    close(l);
}

static void crowd(int n)
{
    enum { MOST = 6000 };
    static int fds[2 * MOST];
    struct sockaddr_in a;
    struct rlimit limit = {2 * MOST + 100, 2 * MOST + 100};
    int l = listener(&a);
    n = n * 600 < MOST ? n * 600 : MOST;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < n; i++) {
        fds[2 * i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fds[2 * i], (struct sockaddr *)&a, sizeof a) || (fds[2 * i + 1] = accept(l, NULL, NULL)) < 0)
            exit(3);
        if (send(fds[2 * i], "hello", 5, 0) != 5)
            exit(4);
    }
    for (int i = 0; i < 2 * n; i++)
        close(fds[i]);
    close(l);
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(int);
        int warm;
    } works[] = {{"churn", round_of, 20}, {"crowd", crowd, 10}};
    for (int k = 0; k < 2; k++) {
        works[k].run(works[k].warm);
        printf("warm %s\n", works[k].name), fflush(stdout), getchar();
        works[k].run(20);
        printf("done %s\n", works[k].name), fflush(stdout), getchar();
    }
    return 0;
}
C
gcc -O1 -static -o work work.c || exit 1
mkfifo to from
"$PICKET" do -- "$PWD/work" <to >from 2>err.txt &
pid=$!
exec 7>to 8<from

measure() {
    local kernel
    kernel=$(cat /proc/$pid/task/$pid/children)
    kernel=${kernel%% *}
    fds=$(ls /proc/"$kernel"/fd | wc -l)
    kib=$(awk '/^VmRSS/ {print $2}' /proc/"$kernel"/status)
}
for what in churn crowd; do
    read -r word name <&8 || { fail "$what: ended early"; cat err.txt; break; }
    sleep 0.3
    measure
    fds_before=$fds kib_before=$kib
    echo >&7
    read -r word name <&8 || { fail "$what: ended early"; cat err.txt; break; }
    sleep 0.3
    measure
    echo >&7
    echo "$what: descriptors $fds_before -> $fds, resident $kib_before -> $kib KiB"
    [ $((fds - fds_before)) -le 8 ] || fail "$what: descriptors grew"
    [ $((kib - kib_before)) -le 8192 ] || fail "$what: memory grew" # 60,000 connections: a leak would be more
done
exec 7>&- 8<&-
wait $pid
same "exit status" 0 $?
finish
