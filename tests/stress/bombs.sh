# A fork bomb and a memory hog inside: they fail or die as on Linux; the sandbox and the host go on.
# timeout: 180
. "$TOP/tests/runtime/lib.sh.inc"

out=$("$PICKET" do -- python3 -c '
import os, resource, signal, time
resource.setrlimit(resource.RLIMIT_NPROC, (200, 200))
if os.getuid() == 0:
    os.setuid(12345)
made, failed = [], 0
for i in range(400):
    try:
        pid = os.fork()
    except OSError:
        failed += 1
        continue
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    made.append(pid)
for pid in made:
    os.kill(pid, signal.SIGKILL)
for pid in made:
    os.waitpid(pid, 0)
print(0 < len(made) <= 200, failed >= 200, os.system("true"))
' 2>&1)
same "fork bomb under RLIMIT_NPROC" "True True 0" "$out"

# A bomb without a limit of its own, stopped from outside.
"$PICKET" do -- sh -c 'f() { f | f & }; f; sleep 60' >/dev/null 2>&1 &
pid=$!
sleep 2
all=$(descendants $pid)
kill -KILL $pid
wait $pid 2>/dev/null
# shellcheck disable=SC2086
gone $all

out=$("$PICKET" do -- sh -c '
    (ulimit -v 300000; python3 -c "x = bytearray(1 << 30)" >/dev/null 2>&1); echo $?
    echo alive' 2>&1 | tr '\n' ' ')
same "memory hog under RLIMIT_AS" "1 alive " "$out"
finish
