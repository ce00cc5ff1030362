# 10,000 short processes, 500 threads, 100,000 opens and closes in one sandbox: afterwards the kernel process holds no more
# descriptors and hardly more memory than before.
# timeout: 300
. "$TOP/tests/runtime/lib.sh.inc"
cat >work.py <<'P'
import os, sys, threading, time

def measured(name, fn, warm):
    fn(warm)
    print("warm", name, flush=True); sys.stdin.readline()
    fn(10)
    print("done", name, flush=True); sys.stdin.readline()

def processes(n):
    for i in range(n * 1000):
        pid = os.posix_spawn("/bin/true", ["true"], {})
        if os.waitpid(pid, 0)[1]:
            sys.exit("a process failed")

def threads(n):
    go = threading.Event()
    t = [threading.Thread(target=go.wait) for i in range(n * 50)]
    for x in t: x.start()
    go.set()
    for x in t: x.join()

def opens(n):
    for i in range(n * 10000):
        os.close(os.open("/etc/passwd", os.O_RDONLY))

# What 500 threads at once need stays with their process for the next 500; a leak shows in the second round.
for name, fn, warm in (("processes", processes, 1), ("threads", threads, 10), ("opens", opens, 1)):
    measured(name, fn, warm)
P
mkfifo to from
"$PICKET" do -- python3 work.py <to >from 2>err.txt &
pid=$!
exec 7>to 8<from

measure() {
    local kernel
    kernel=$(cat /proc/$pid/task/$pid/children)
    kernel=${kernel%% *}
    fds=$(ls /proc/"$kernel"/fd | wc -l)
    kib=$(awk '/^VmRSS/ {print $2}' /proc/"$kernel"/status)
}
for what in processes threads opens; do
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
    [ $((kib - kib_before)) -le 2048 ] || fail "$what: memory grew"
done
exec 7>&- 8<&-
wait $pid
same "exit status" 0 $?
finish
