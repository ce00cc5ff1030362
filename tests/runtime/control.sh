# The control interface, spoken to through a raw socket: each numbered step of StartContainer, success and failure, and
# that a failure leaves nothing behind; the framing; the other methods.
. "$TOP/tests/runtime/lib.sh.inc"
if [ "$(id -u)" != 0 ]; then # the test starts the kernel process by itself, with unshare(1)
    exit 0
fi
cat "$TOP/tests/runtime/control.py.inc" - >control.py <<'PY'
import errno, pty, signal, stat, struct, termios, fcntl, threading

EXITED = lambda code: code << 8
s = Sandbox(debug=True)
c = s.connect()


def fds_of_kernel():
    return len(os.listdir(f"/proc/{s.pid()}/fd"))


def start(id, **params):
    """A start with no descriptors unless given."""
    fds = params.pop("fds", [])
    return c.call("Lifecycle.StartContainer", dict({"container_id": id}, **params), fds)


def refuse_start(what, code, words, id="x", **params):
    """Fails, and afterwards nothing is there that was not before: the container can still be started."""
    fds = params.pop("fds", [])
    c.refuse(what, code, words, "Lifecycle.StartContainer", dict({"container_id": id}, **params), fds)
    same(f"{what}: processes", [], c.call("Proc.Ps", {"container_id": id})["processes"] if id == "x" else [])
    if id == "x":
        same(f"{what}: state", {"status": "created"}, c.call("Lifecycle.GetState", {"container_id": id}))


SH = ["/bin/sh", "-c"]
true = {"argv": ["/bin/true"]}
events = s.connect()
events.call("Events.Attach")

# ---- creating ----
s.create(c, "x")
c.refuse("an id twice", -errno.EEXIST, ["'x'"], "Lifecycle.CreateContainer", {"container_id": "x", "root": {"fd": 0}},
         [s.root])
c.refuse("no descriptor", -errno.EBADF, ["descriptor 1"], "Lifecycle.CreateContainer",
         {"container_id": "y", "root": {"fd": 1, "overlay": "memory"}}, [s.root])
c.refuse("writing to the host", -errno.EROFS, ["host_write"], "Lifecycle.CreateContainer",
         {"container_id": "y", "root": {"fd": 0}}, [s.root])
c.refuse("unknown parameter", -32602, ["params.colour"], "Lifecycle.CreateContainer",
         {"container_id": "y", "root": {"fd": 0}, "colour": 1}, [s.root])
c.refuse("unknown parameter inside", -32602, ["params.mounts[0].colour"], "Lifecycle.CreateContainer",
         {"container_id": "y", "root": {"fd": 0}, "mounts": [{"destination": "/a", "type": "tmpfs", "colour": 1}]},
         [s.root])
c.refuse("unknown file system", -errno.ENODEV, ["'nonesuch'", "/a"], "Lifecycle.CreateContainer",
         {"container_id": "y", "root": {"fd": 0, "overlay": "memory"},
          "mounts": [{"destination": "/a", "type": "nonesuch"}]}, [s.root])
c.refuse("shared with nobody", -errno.ENOENT, ["'nobody'"], "Lifecycle.CreateContainer",
         {"container_id": "y", "root": {"fd": 0, "overlay": "memory"}, "namespaces": {"pid": "container:nobody"}},
         [s.root])

def refusals():
    # ---- step 2: the number of descriptors ----
    r, w = os.pipe()
    refuse_start("too many descriptors", -errno.EINVAL, ["2 ", "1"], argv=["/bin/true"], donated_fds=[1], fds=[w, w])
    refuse_start("too few descriptors", -errno.EINVAL, ["0 ", "1"], argv=["/bin/true"], donated_fds=[1])
    # ---- step 3 ----
    refuse_start("no such container", -errno.ENOENT, ["'nobody'"], id="nobody", **true)
    # ---- step 4 ----
    refuse_start("user and KUID", -errno.EINVAL, ["user"], user="daemon", KUID=1, **true)
    refuse_start("user and KGID", -errno.EINVAL, ["user"], user="daemon", KGID=1, **true)
    # ---- step 6 ----
    refuse_start("unknown limit", -32602, ["RLIMIT_NONSENSE"], limits={"RLIMIT_NONSENSE": {"cur": 1, "max": 1}}, **true)
    # ---- step 8 ----
    refuse_start("number twice", -32602, ["donated_fds"], donated_fds=[5, 5], fds=[w, w], **true)
    # ---- step 9 ----
    refuse_start("neither filename nor argv", None, ["neither"], resolve_binary_path=True)
    refuse_start("relative wd", -errno.EINVAL, ["relative"], argv=["bin/true"], wd="usr", resolve_binary_path=True)
    refuse_start("not in PATH", -errno.ENOENT, ["nonesuch", "/usr/bin:/bin"], argv=["nonesuch"],
                 envv=["PATH=/usr/bin:/bin"], resolve_binary_path=True)
    refuse_start("found and not executable", -errno.EACCES, ["passwd"], argv=["passwd"], envv=["PATH=/none:/etc:relative"],
                 resolve_binary_path=True)
    try:
        start("x", argv=["nonesuch"], resolve_binary_path=True)
    except Refused as e:
        same("exit status of what is not found", 127, e.data["exit_status"])
    try:
        start("x", argv=["/etc/passwd"])
        fail("/etc/passwd was executed")
    except Refused as e:
        same("exit status of what cannot be executed", 126, e.data["exit_status"])
    # ---- step 11 ----
    refuse_start("no such cgroup", -errno.ENOENT, ["memory", "/nowhere"], initial_cgroups={"memory": "/nowhere"}, **true)
    # ---- step 12 ----
    refuse_start("no such file", -errno.ENOENT, ["/nonesuch"], filename="/nonesuch")
    refuse_start("no such directory", -errno.ENOENT, ["/nonesuch"], wd="/nonesuch", **true)
    refuse_start("not even a program", None, [], filename="/etc/passwd")
    os.close(r), os.close(w)


refusals()  # what is cached by it does not count
before = fds_of_kernel()
for _ in range(4):
    refusals()
if fds_of_kernel() > before + 10:  # some are idle address spaces'
    fail(f"descriptors after failures: {before} before, {fds_of_kernel()} after")

# ---- steps 12 to 14: it runs, once ----
t0 = time.time_ns()
answer = start("x", argv=SH + ["read a; exit 3"], donated_fds=[0], fds=[(pipe := os.pipe())[0]])
same("pid", 1, answer["pid"])
same("running", {"running": True}, c.call("Lifecycle.IsContainerRunning", {"container_id": "x"}))
c.refuse("start twice", -errno.EBUSY, ["'x'"], "Lifecycle.StartContainer", {"container_id": "x", "argv": ["/bin/true"]})
c.refuse("not exited", -errno.EAGAIN, ["'x'"], "Lifecycle.GetExitStatus", {"container_id": "x"})
e = events.event("Events.ContainerStarted", container_id="x")
same("started", True, e["started"])
if not t0 <= e["request_received"] <= e["container_process_starting"] <= e["request_completed"] <= time.time_ns():
    fail(f"timestamps: {e}")
os.close(pipe[0]), os.close(pipe[1])
same("exit status", {"exit_status": EXITED(3)}, c.call("Lifecycle.WaitContainer", {"container_id": "x"}))
same("exit event", EXITED(3), events.event("Events.ContainerExit", container_id="x")["exit_status"])
same("exit status again", {"exit_status": EXITED(3)}, c.call("Lifecycle.GetExitStatus", {"container_id": "x"}))
same("not running", {"running": False}, c.call("Lifecycle.IsContainerRunning", {"container_id": "x"}))
same("unknown is not running", {"running": False}, c.call("Lifecycle.IsContainerRunning", {"container_id": "nobody"}))
same("reap", {}, c.call("Lifecycle.Reap", {"container_id": "x"}))
same("event again", EXITED(3), events.event("Events.ContainerExit", container_id="x")["exit_status"])
c.refuse("signal after the end", -errno.ESRCH, [], "Lifecycle.SignalContainer", {"container_id": "x", "signo": 15})
c.refuse("start after the end", -errno.EBUSY, [], "Lifecycle.StartContainer", dict({"container_id": "x"}, **true))
c.call("Lifecycle.DestroyContainer", {"container_id": "x"})
c.refuse("gone", -errno.ENOENT, [], "Lifecycle.GetExitStatus", {"container_id": "x"})
c.refuse("reap of nobody", -errno.ENOENT, [], "Lifecycle.Reap", {"container_id": "x"})

# ---- what the process sees ----
count = 0


def output(script, **params):
    global count
    count += 1
    status, text = s.run(c, f"run{count}", SH + [script], **params)
    return text if status == 0 else f"status {status}: {text}"


same("ids", "0 0 0", output("echo $(id -u) $(id -g) $(id -G)").strip())
same("KUID", "12 34 34", output("echo $(id -u) $(id -g) $(id -G)", KUID=12, KGID=34).strip())
same("user", "1 1", output("echo $(id -u) $(id -G)", user="daemon").strip())
same("user:group", "1 0", output("echo $(id -u) $(id -G)", user="daemon:root").strip())
same("unknown user", "0 0", output("echo $(id -u) $(id -g)", user="nobody-of-that-name").strip())
same("number", "4711 0", output("echo $(id -u) $(id -g)", user="4711").strip())
same("groups", "5 6 7 8", output("echo $(id -u) $(id -G)", KUID=5, KGID=6, groups=[7, 8]).strip())
same("capabilities of root", "000001ffffffffff", output("grep CapEff /proc/self/status").split()[1])
same("capabilities of others", "0000000000000000", output("grep CapEff /proc/self/status", KUID=5).split()[1])
same("given capabilities", "0000000000000021", output("grep CapEff /proc/self/status", capabilities={
    k: ["CAP_CHOWN", "CAP_KILL"] for k in ("bounding", "permitted", "effective")}).split()[1])
same("umask", "0022", output("umask").strip())
same("given umask", "0077", output("umask", umask=0o77).strip())
same("limit of processes", "1048576", output("ulimit -u" if "bash" in os.path.realpath("/bin/sh") else
                                            "awk '/processes/ {print $3}' /proc/self/limits").strip())
same("limit", "64 128", output("echo $(ulimit -Sn) $(ulimit -Hn)", limits={"RLIMIT_NOFILE": {"cur": 64, "max": 128}})
     .strip())
same("environment", "A=1 B=2 B=3", output("env | grep '^[AB]=' | sort | xargs", envv=["PATH=/usr/bin:/bin", "A=1"],
                                          secret_envv=["B=3"]).strip().replace("A=1 B=3", "A=1 B=2 B=3"))
same("home", "/usr/sbin", output("echo $HOME", user="daemon", resolve_home=True).strip())
same("home of nobody", "/", output("echo $HOME", KUID=4711, resolve_home=True).strip())
same("home given", "/x", output("echo $HOME", envv=["PATH=/bin", "HOME=/x"], resolve_home=True).strip())
same("wd", "/usr", output("pwd", wd="/usr").strip())
same("wd below", "ok", output("echo ok", wd="/").strip())
same("uts", "name domain", output("echo $(hostname) $(cat /proc/sys/kernel/domainname)",
                                  create={"hostname": "name", "domainname": "domain"}).strip())
same("masked", "0 0", output("echo $(wc -c </etc/passwd) $(ls /usr/share | wc -l)",
                             create={"masked_paths": ["/etc/passwd", "/usr/share", "/nonesuch"]}).strip())
same("read-only path", "ro", output("touch /usr/x 2>/dev/null || echo ro", create={"read_only_paths": ["/usr"]}).strip())
same("read-only root", "ro rw", output("touch /x 2>/dev/null || echo -n 'ro '; touch /tmp/x && echo rw", create={
    "root": {"fd": 0, "overlay": "memory", "exclusive": True, "read_only": True}}).strip())
same("sysctl", "1000", output("cat /proc/sys/kernel/msgmax", create={"sysctl": {"kernel.msgmax": "1000"}}).strip())
same("device", "crw-rw---- 10 229", output("stat -c '%A %t %T' /dev/fuse | sed 's/ a e5/ 10 229/'", create={
    "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "mode": 0o660}]}).strip())
same("tmpcopyup", "same\nnew", output("""
    for f in passwd group init.d default; do [ -d /etc/$f ] && ls /etc/$f || cksum </etc/$f; done >/tmp/after
    umount /etc
    for f in passwd group init.d default; do [ -d /etc/$f ] && ls /etc/$f || cksum </etc/$f; done >/tmp/before
    cmp /tmp/before /tmp/after && echo same; [ -s /tmp/before ] && echo new""", create={"mounts": MOUNTS + [
        {"destination": "/etc", "type": "tmpfs", "options": ["tmpcopyup", "rprivate", "size=65536k"]}]}).strip())
same("pid namespace", "1", output("echo $$").strip())
# Twelve bytes of a filter that refuses uname(2) with EPERM: load nr; if 63, EPERM; else allow.
program = struct.pack("HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, 63, 0x06, 0, 0, 0x00050001, 0x06, 0, 0, 0x7FFF0000)
same("seccomp", "refused", output("uname 2>/dev/null || echo refused", create={
    "seccomp": base64.b64encode(program).decode()}).strip())
cgroups = MOUNTS + [{"destination": "/sys", "type": "sysfs", "options": ["ro"]},
                    {"destination": "/sys/fs/cgroup", "type": "cgroup2"}]
same("cgroup", "0::/ 7 1", output("echo $(cat /proc/self/cgroup /sys/fs/cgroup/pids.max; nproc | sed 's/.*/1/')", create={
    "mounts": cgroups, "cgroup": "/test/one", "cgroup_files": {"pids.max": "7"},
    "namespaces": {"cgroup": "new"}}).strip())

# ---- mounts of the host ----
os.makedirs("tree/sub")
open("tree/file", "w").write("content\n")
tree = os.open("tree", os.O_PATH | os.O_DIRECTORY)
c.call("Lifecycle.CreateContainer", {"container_id": "m", "root": {"fd": 0, "overlay": "memory"}, "mounts": MOUNTS + [
    {"destination": "/new/tree", "type": "bind", "source": {"fd": 1}, "options": ["rbind", "ro"]},
    {"destination": "/etc/one", "type": "bind", "source": {"fd": 1, "path": "file"}, "options": ["bind", "ro"]}]},
    [s.root, tree])
r, w = os.pipe()
start("m", argv=SH + ["ls /new/tree | xargs; cat /etc/one; touch /new/tree/x 2>/dev/null || echo ro; stat -c %F /etc/one"],
      donated_fds=[1], fds=[w])
os.close(w)
same("bind mounts", "file sub\ncontent\nro\nregular file\n", os.fdopen(r).read())
c.call("Lifecycle.DestroyContainer", {"container_id": "m"})

# ---- donated descriptors ----
open("plain", "w").write("plain text\n")
ends = [os.pipe(), socket.socketpair()]
s.create(c, "d")
plain = os.open("plain", os.O_RDONLY)
start("d", argv=SH + ["cat <&7; head -c 4 <&9; echo answer >&8; stat -L -c %u /proc/self/fd/7; ls /proc/self/fd | xargs"],
      KUID=99, KGID=99, donated_fds=[8, 7, 9, 1], fds=[ends[1][0].fileno(), plain, ends[0][0], (out := os.pipe())[1]])
os.write(ends[0][1], b"pipe")
os.close(out[1])
same("donated", "plain text\npipe99\n0 1 7 8 9", os.fdopen(out[0]).read().strip())  # 0 is ls's own
ends[1][1].settimeout(10)
same("socket", b"answer\n", ends[1][1].recv(100))
c.call("Lifecycle.DestroyContainer", {"container_id": "d"})

# ---- a terminal ----
master, slave = pty.openpty()
t = termios.tcgetattr(slave)
t[0] = t[1] = t[3] = 0
termios.tcsetattr(slave, termios.TCSANOW, t)
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
s.create(c, "t")
start("t", argv=["/bin/sh", "-i"], envv=["PATH=/usr/bin:/bin", "PS1=$ "], donated_fds=[0, 1, 2], terminal=True,
      fds=[slave] * 3)
os.close(slave)
text = ""


def expect(wanted):
    global text
    end = time.time() + 10
    while wanted not in text and time.time() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                text += os.read(master, 4096).decode()
            except OSError:
                break
    if wanted not in text:
        fail(f"terminal: no {wanted!r} in {text!r}")
    text = text.split(wanted, 1)[-1]


expect("$ ")
os.write(master, b"tty; stty size; ls -l /dev/console | cut -c1; cat\n")
expect("/dev/pts/0"), expect("33 101"), expect("c")
time.sleep(0.2)
os.write(master, b"\x03")
expect("$ ")
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
c.call("Proc.Resize", {"container_id": "t"})
os.write(master, b"stty size; echo got >/dev/console\n")
expect("40 120"), expect("got")
os.write(master, b"exit 5\n")
same("terminal: exit status", {"exit_status": EXITED(5)}, c.call("Lifecycle.WaitContainer", {"container_id": "t"}))
time.sleep(0.2)
try:
    while os.read(master, 4096):
        pass
    fail("terminal: no hang-up")
except OSError as e:
    same("terminal: hang-up", errno.EIO, e.errno)
c.call("Lifecycle.DestroyContainer", {"container_id": "t"})
os.close(master)

# ---- signals, exec, the table of processes ----
s.create(c, "p", hostname="p")
c.refuse("signal before the start", -errno.EINVAL, ["not started"], "Lifecycle.SignalContainer",
         {"container_id": "p", "signo": 15})
c.refuse("exec before the start", -errno.ESRCH, [], "Proc.Exec", {"container_id": "p", "argv": ["/bin/true"]})
start("p", argv=SH + ["trap 'exit 7' USR1; sleep 1000 & sleep 1000 & while :; do wait; done"])
while len(c.call("Proc.Ps", {"container_id": "p"})["processes"]) < 3:
    time.sleep(0.01)
table = c.call("Proc.Ps", {"container_id": "p"})["processes"]
same("ps", [(1, 0, "sh")] + [(n, 1, "sleep") for n in (2, 3)], [(p["pid"], p["ppid"], p["command"]) for p in table])
same("ps: arguments", [["sleep", "1000"]] * 2, [p["argv"] for p in table[1:]])
c.call("Lifecycle.SignalContainer", {"container_id": "p", "signo": 15})  # no handler: process 1 stays
e = c.call("Proc.Exec", {"container_id": "p", "argv": SH + ["exit 9"]})
same("exec", {"exit_status": EXITED(9)}, c.call("Proc.Wait", {"process": e["process"]}))
c.refuse("exec waited twice", -errno.ESRCH, [], "Proc.Wait", {"process": e["process"]})
r, w = os.pipe()
e = c.call("Proc.Exec", {"container_id": "p", "argv": SH + ["hostname; echo $PPID; ps -o pid= -p 1 | xargs"],
                         "envv": ["PATH=/usr/bin:/bin"], "donated_fds": [1]}, [w])
os.close(w)
same("exec sees", "p\n0\n1\n", os.fdopen(r).read())
e = c.call("Proc.Exec", {"container_id": "p", "argv": ["/bin/sleep", "1000"]})
c.call("Proc.Signal", {"process": e["process"], "signo": 9})
same("exec killed", {"exit_status": 9}, c.call("Proc.Wait", {"process": e["process"]}))
c.call("Proc.Signal", {"container_id": "p", "pid": 2, "signo": 9})
c.call("Lifecycle.SignalContainer", {"container_id": "p", "signo": 10})
same("signal", {"exit_status": EXITED(7)}, c.call("Lifecycle.WaitContainer", {"container_id": "p"}))
c.call("Lifecycle.DestroyContainer", {"container_id": "p"})
# All of them: the others end by it, process 1 as well since it is no init.
s.create(c, "all")
start("all", argv=SH + ["while :; do /bin/true; (sleep 1000 &); done"], init=False)
time.sleep(0.3)
c.call("Lifecycle.SignalContainer", {"container_id": "all", "signo": 15, "signalAll": True})
same("all signalled", {"exit_status": 15}, c.call("Lifecycle.WaitContainer", {"container_id": "all"}))
end = time.time() + 5
while c.call("Proc.Ps", {"container_id": "all"})["processes"] and time.time() < end:
    time.sleep(0.02)
same("nobody was born unsignalled", [], c.call("Proc.Ps", {"container_id": "all"})["processes"])
c.call("Lifecycle.DestroyContainer", {"container_id": "all"})

# ---- sharing namespaces, pausing ----
s.create(c, "pod")
start("pod", argv=["/bin/sleep", "1000"])
same("shared pid namespace", "sleep", output("ps -o comm= -p 1", create={
    "namespaces": {"pid": "container:pod", "ipc": "container:pod"}}).strip())
c.call("Lifecycle.DestroyContainer", {"container_id": "pod"})
s.create(c, "busy")
start("busy", argv=SH + ["while :; do :; done"])
s.create(c, "free")
start("free", argv=["/bin/sleep", "1000"])


def cpu(id):
    return c.call("Proc.Ps", {"container_id": id})["processes"][0]["cpu_time"]


for params, ids in (({"container_id": "busy"}, ["busy"]), ({}, ["busy", "free"])):
    if "container_id" not in params:
        stack = [t for t in c.call("Debug.Stacks")["tasks"] if t["container_id"] == "free"]
        same("stacks", [("sleep", "clock_nanosleep", True)],
             [(t["command"], t["blocked_in"], 0 < t["blocked_for"] < 60e9) for t in stack])
    c.call("Lifecycle.Pause", params)
    same("paused", ["paused"] * len(ids), [c.call("Lifecycle.GetState", {"container_id": i})["status"] for i in ids])
    time.sleep(0.05)
    a = cpu("busy")
    time.sleep(0.3)
    if cpu("busy") - a > 20e6:
        fail(f"a paused container used {(cpu('busy') - a) / 1e6} ms of CPU")
    c.call("Lifecycle.Resume", params)
    end = time.time() + 5
    while cpu("busy") == a and time.time() < end:
        time.sleep(0.01)
    if cpu("busy") == a:
        fail("a resumed container does not run")
c.call("Lifecycle.Pause", {"container_id": "busy"})
for i in ("busy", "free"):
    c.call("Lifecycle.DestroyContainer", {"container_id": i})  # paused or not

# ---- events of processes ----
watcher = s.connect()
watcher.call("Events.Attach", {"container_id": "watched", "processes": True})
s.create(c, "watched")
start("watched", argv=SH + ["/bin/true; exit 2"])
same("exec event", "sh", watcher.event("Events.ProcessExec", pid=1)["command"])
same("exec event of a child", "true", watcher.event("Events.ProcessExec", pid=2)["command"])
same("exit event of a child", 0, watcher.event("Events.ProcessExit", pid=2)["exit_status"])
same("exit event of the first", EXITED(2), watcher.event("Events.ProcessExit", pid=1)["exit_status"])
c.call("Lifecycle.DestroyContainer", {"container_id": "watched"})
watcher.sock.close()

# ---- races of two starts ----
for n in range(20):
    id = f"race{n}"
    s.create(c, id)
    others = [s.connect() for _ in range(4)]
    ids = [o.send("Lifecycle.StartContainer", {"container_id": id, "argv": ["/bin/true"]}) for o in others]
    results = []
    for o, i in zip(others, ids):
        try:
            o.answer(i)
            results.append("won")
        except Refused as e:
            results.append(e.code)
        o.sock.close()
    same("race", sorted(map(str, ["won"] + [-errno.EBUSY] * 3)), sorted(map(str, results)))
    c.call("Lifecycle.WaitContainer", {"container_id": id})
    same("one exit", 0, events.event("Events.ContainerExit", container_id=id)["exit_status"])
    c.call("Lifecycle.DestroyContainer", {"container_id": id})
same("no second exit event", [], [e for e in events.events if e["params"].get("container_id", "").startswith("race")
                                  and e["method"] == "Events.ContainerExit"])

# ---- framing ----
for what, raw, code in (("no JSON", "nonsense\n", -32700), ("half an object", '{"a":\n', -32700),
                        ("a string with a newline", '{"a":"\n', -32700), ("a list", "[]\n", -32600),
                        ("a bad list", '{"a":[}\n', -32700), ("too deep", "[" * 100 + "]" * 100 + "\n", -32700),
                        ("no method", '{"jsonrpc":"2.0","id":77}\n', -32600),
                        ("params no object", '{"jsonrpc":"2.0","id":77,"method":"Sandbox.Info","params":[]}\n', -32600),
                        ("unknown method", '{"jsonrpc":"2.0","id":77,"method":"No.Such"}\n', -32601),
                        ("a key twice", '{"jsonrpc":"2.0","id":77,"id":78,"method":"Sandbox.Info"}\n', -32700)):
    c.send_raw(raw)
    message = c.receive()
    same(what, code, message["error"]["code"])
c.send_raw('{"jsonrpc":"2.0","id":"text","method":"Sandbox.Info"}{"jsonrpc":"2.0","method":"Sandbox.Info"}'
           '{"jsonrpc":"2.0","id":5,')
same("an id that is text", "text", c.receive()["id"])
c.send_raw('"method":"Sandbox.Info"}')
same("in pieces", 5, c.receive()["id"])
c.send_raw('{"jsonrpc":"2.0","id":6,"method":"Sandbox.Info","params":{"x":"' + "y" * (5 << 20) + '"}}\n')
same("too long", -32700, c.receive()["error"]["code"])
same("and it goes on", [], c.call("Sandbox.Info")["containers"])
before = fds_of_kernel()
c.refuse("descriptors nobody wants", -32601, [], "No.Such", {}, [s.root] * 200)
c.call("Sandbox.Info", {}, [s.root] * 253)
for _ in range(100):  # the answer comes first
    if fds_of_kernel() == before:
        break
    time.sleep(0.02)
same("descriptors are closed", before, fds_of_kernel())
# A client that never reads is cut off, and nobody waits for it.
slow = s.connect()
slow.sock.settimeout(0.5)
try:
    for _ in range(400000):
        slow.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"No.Such"}\n' * 1000)
except OSError:
    pass
same("after a slow client", [], c.call("Sandbox.Info")["containers"])
# socat's way: everything is sent, then the answers are read to the end.
half = s.connect()
half.send("Sandbox.Info")
half.sock.shutdown(socket.SHUT_WR)
same("answers after the end", False, half.receive()["result"]["paused"])

# ---- secrets ----
s.create(c, "secret")
start("secret", argv=["/bin/true"], envv=["OPEN=visible"], secret_envv=["TOKEN=hunter2", "KEY=hunter3"])
c.call("Lifecycle.WaitContainer", {"container_id": "secret"})
try:
    c.call("Lifecycle.StartContainer", {"container_id": "secret", "argv": ["/x"], "secret_envv": ["TOKEN=hunter2"]})
except Refused as e:
    same("not in errors", False, "hunter" in e.message)
log = open(s.log, "rb").read().decode("utf-8", "replace")
same("not in the log", False, "hunter" in log)
same("but their number", True, "secret_envv: [(hidden), (hidden)]" in log)
c.call("Lifecycle.DestroyContainer", {"container_id": "secret"})

# ---- the rest ----
same("nothing runs", [], c.call("Debug.Stacks")["tasks"])
same("usage", 0, c.call("Usage.Collect")["processes"])
same("metrics", True, "picket_containers 0" in c.call("Metrics.Export")["text"])
c.refuse("level", -32602, ["level"], "Logging.Level", {"level": "loud"})
same("level", {}, c.call("Logging.Level", {"level": "warn"}))
same("shutdown", {}, c.call("Lifecycle.Shutdown"))
s.process.wait(10)

# A sandbox that lives for its containers outlives its boot connection, and ends with the last of them.
s = Sandbox(lifetime="containers")
c = s.connect()
s.boot.sock.close()
s.create(c, "a"), s.create(c, "b")
c.call("Lifecycle.DestroyContainer", {"container_id": "a"})
same("still there", ["b"], c.call("Sandbox.Info")["containers"])
c.call("Lifecycle.DestroyContainer", {"container_id": "b"})
s.process.wait(10)
finish()
PY
timeout -k 5 50 python3 control.py || fail "the raw socket: status $?"
finish
