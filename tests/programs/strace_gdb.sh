#!/bin/sh
# Debuggers: strace follows, counts and injects; gdb breaks, steps, walks the stack, attaches.
# needs: strace gdb gcc
# timeout: 120
set -e
strace -f -o trace sh -c 'echo a; /bin/true | cat; exit 3' || echo "status $?"
grep -c -E 'exited with 3' trace
grep -o 'write(1, "a\\n", 2) *= 2' trace
strace -c -o counts ls / > /dev/null
grep -q -E 'openat|open' counts && echo counted
strace -e trace=openat -e inject=openat:error=EACCES -o /dev/null cat /etc/hostname 2> /dev/null || echo injected
cat > a.c <<'C'
#include <pthread.h>
#include <stdio.h>
static int fac(int n) { return n < 2 ? 1 : n * fac(n - 1); }
static void *thread(void *arg) { return (void *)(long)fac(3); }
int main(void)
{
    pthread_t t;
    int x = fac(5);
    pthread_create(&t, 0, thread, 0);
    pthread_join(t, 0);
    printf("%d\n", x);
    return 0;
}
C
gcc -g -O0 -pthread -o a a.c
export DEBUGINFOD_URLS=
gdb -nx -q -batch -ex 'break fac if n==2' -ex run -ex bt -ex finish -ex 'next' -ex 'print n' -ex 'disable' -ex 'break thread' \
    -ex continue -ex 'continue' ./a 2> /dev/null | grep -E '^#|Value|^\$|^120|exited normally|hit Breakpoint|^Thread|Breakpoint 2, ' |
    sed -E 's/0x[0-9a-f]+/ADDR/g; s/LWP [0-9]+/LWP/g; s/process [0-9]+/process/g'
sleep 30 &
pid=$!
gdb -nx -q -batch -p $pid -ex 'info registers rip' -ex detach 2> /dev/null | grep -c -E '^rip'
kill $pid
