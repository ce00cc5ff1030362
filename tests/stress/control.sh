# 500 containers started and stopped in one sandbox from 8 clients at once, with pauses and kills between them: every one
# ends as it should, and nothing of them is left.
. "$TOP/tests/runtime/lib.sh.inc"
if [ "$(id -u)" != 0 ]; then # the test starts the kernel process by itself, with unshare(1)
    exit 0
fi
cat "$TOP/tests/runtime/control.py.inc" - >stress.py <<'PY'
import random, threading

CLIENTS, EACH = 8, int(os.environ.get("CONTAINERS", 500)) // 8
s = Sandbox()


def leftovers():
    pid = s.pid()
    with open(f"/proc/{pid}/status") as f:
        memory = next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))
    return len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task")), memory


def life(c, id, choice):
    """One container from its creation to its end; how it ended, and how it should have."""
    s.create(c, id)
    script = ["exit 3", "sleep 1000", "while :; do /bin/true; done", "(sleep 1000 & sleep 1000 &) ; sleep 1000"][choice % 4]
    c.call("Lifecycle.StartContainer", {"container_id": id, "argv": ["/bin/sh", "-c", script], "init": False})
    wanted = 9 if choice % 4 else 3 << 8
    if choice % 3 == 0:
        try:
            c.call("Lifecycle.Pause", {"container_id": id})
            c.call("Proc.Ps", {"container_id": id})
            c.call("Lifecycle.Resume", {"container_id": id})
        except Refused:
            pass  # it has ended already
    if choice % 5 == 0:
        e = c.call("Proc.Exec", {"container_id": id, "argv": ["/bin/sleep", "1000"]}) if choice % 4 else None
    if choice % 4 == 0:
        got = c.call("Lifecycle.WaitContainer", {"container_id": id})["exit_status"]
    elif choice % 7 == 0:
        got = wanted  # destroyed while it runs, paused perhaps
        c.call("Lifecycle.Pause", {"container_id": id})
    else:
        c.call("Lifecycle.SignalContainer", {"container_id": id, "signo": 9, "signalAll": choice % 2 == 0})
        got = c.call("Lifecycle.WaitContainer", {"container_id": id})["exit_status"]
    c.call("Lifecycle.DestroyContainer", {"container_id": id})
    return got, wanted


def client(n, count):
    c = s.connect()
    c.sock.settimeout(120)
    r = random.Random(n)
    for i in range(count):
        choice = r.randrange(1000)
        try:
            got, wanted = life(c, f"c{n}-{i}", choice)
            same(f"container c{n}-{i} ({choice})", wanted, got)
        except Exception as e:
            fail(f"container c{n}-{i} ({choice}): {e!r}")
            break
    c.sock.close()


def everybody(count):
    threads = [threading.Thread(target=client, args=(n, count)) for n in range(CLIENTS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


everybody(3)  # what is made once and kept
time.sleep(0.5)
before = leftovers()
t = time.time()
everybody(EACH)
print(f"{EACH * CLIENTS} containers in {time.time() - t:.1f} s")
time.sleep(0.5)
after = leftovers()
print("descriptors, threads, KiB:", before, after)
c = s.connect()
same("containers", [], c.call("Sandbox.Info")["containers"])
same("tasks", [], c.call("Debug.Stacks")["tasks"])
if after[0] > before[0] + 20 or after[1] > before[1] + 4 or after[2] > before[2] + 20000:
    fail(f"something is left: {before} before, {after} after")
s.close()
finish()
PY
timeout -k 5 280 python3 stress.py || fail "the stress test: status $?"
finish
