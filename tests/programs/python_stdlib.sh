#!/bin/sh
# needs: python3 libsqlite3-0
# timeout: 120
# Threads, subprocesses, process pools, mmap, select, temporary files and SQLite from Python.
W=$(mktemp -d)
cat > "$W/t.py" <<'P'
import concurrent.futures, hashlib, mmap, multiprocessing, os, queue, select, signal, socket, sqlite3
import subprocess, sys, tempfile, threading, time

def square(n):
    return n * n

def bump(v):
    for _ in range(200):
        with v.get_lock():
            v.value += 1

def main():
    # threads
    total, lock = [0], threading.Lock()
    def add():
        for _ in range(2000):
            with lock:
                total[0] += 1
    threads = [threading.Thread(target=add) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    print("threads", total[0])
    q = queue.Queue(4)
    def producer():
        for i in range(500):
            q.put(i)
        q.put(None)
    threading.Thread(target=producer).start()
    print("queue", sum(iter(q.get, None)))
    cond = threading.Condition()
    with cond:
        print("condition", cond.wait(0.05))

    # subprocess
    print(subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout.strip())
    p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = p.communicate(b"x" * 300000)
    print("cat", len(out), p.returncode)
    print("exit", subprocess.call(["sh", "-c", "exit 5"]), subprocess.call(["sh", "-c", "kill -9 $$"]))
    try:
        subprocess.run(["sleep", "9"], timeout=0.2)
    except subprocess.TimeoutExpired:
        print("timeout")
    try:
        subprocess.run(["/no/such"])
    except FileNotFoundError as e:
        print("missing", e.errno)
    print(subprocess.check_output("echo $((6*7)) | tr 4 5", shell=True))

    # multiprocessing
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(3) as pool:
            print(method, sum(pool.map(square, range(100))))
    with concurrent.futures.ProcessPoolExecutor(2) as ex:
        print("executor", list(ex.map(square, range(5))))
    v = multiprocessing.Value("i", 0)
    ps = [multiprocessing.get_context("fork").Process(target=bump, args=(v,)) for _ in range(4)]
    [p.start() for p in ps]
    [p.join() for p in ps]
    print("value", v.value)
    from multiprocessing import shared_memory
    shm = shared_memory.SharedMemory(create=True, size=4096)
    shm.buf[:3] = b"abc"
    other = shared_memory.SharedMemory(shm.name)
    print("shm", bytes(other.buf[:3]))
    other.close(); shm.close(); shm.unlink()

    # mmap
    with tempfile.TemporaryFile() as f:
        f.write(b"a" * 10000)
        f.flush()
        with mmap.mmap(f.fileno(), 0) as m:
            m[5000:5003] = b"xyz"
            m.flush()
            print("mmap", m.find(b"xyz"), len(m))
        f.seek(5000)
        print("coherent", f.read(3))
        with mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
            f.seek(0); f.write(b"Q"); f.flush()
            print("coherent", m[0:1])

    # select, poll, epoll
    r, w = os.pipe()
    print("select", select.select([r], [w], [], 0)[0], bool(select.select([r], [w], [], 0)[1]))
    os.write(w, b"1")
    print("select", select.select([r], [], [], 1)[0] == [r])
    e = select.epoll()
    e.register(r, select.EPOLLIN)
    print("epoll", [ev for _, ev in e.poll(1)])
    po = select.poll()
    po.register(r, select.POLLIN)
    os.close(w)
    print("poll", [ev for _, ev in po.poll(100)])
    a, b = socket.socketpair()
    a.sendall(b"ping")
    print("socketpair", b.recv(10))

    # signals
    got = []
    signal.signal(signal.SIGALRM, lambda s, f: got.append(s))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(0.2)
    print("alarm", got)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.kill(os.getpid(), signal.SIGUSR1)
    print("sigwait", signal.sigwait([signal.SIGUSR1]))

    # files
    with tempfile.TemporaryDirectory() as d:
        for i in range(300):
            with open(f"{d}/{i}", "w") as f:
                f.write(str(i) * i)
        h = hashlib.sha256()
        for e in sorted(os.scandir(d), key=lambda e: e.name):
            h.update(f"{e.name} {e.stat().st_size} {e.is_file()}".encode())
        print("scandir", h.hexdigest()[:16])
        os.rename(f"{d}/1", f"{d}/one")
        os.symlink("one", f"{d}/link")
        print(os.path.realpath(f"{d}/link").endswith("one"), os.readlink(f"{d}/link"))
        db = sqlite3.connect(f"{d}/db")
        db.execute("pragma journal_mode=wal")
        db.execute("create table t(a integer primary key, b text)")
        db.executemany("insert into t(b) values(?)", [(str(i),) for i in range(5000)])
        db.commit()
        print("sqlite", db.execute("select count(*), sum(length(b)) from t").fetchone())
        other = sqlite3.connect(f"{d}/db")
        print("sqlite", other.execute("select b from t where a=4321").fetchone())
        db.execute("delete from t where a%2")
        db.commit()
        print("sqlite", other.execute("pragma integrity_check").fetchone(),
              other.execute("select count(*) from t").fetchone())
        db.close(); other.close()
    print(os.cpu_count() == len(os.sched_getaffinity(0)), sys.platform, os.uname().sysname)

if __name__ == "__main__":
    main()
P
/usr/bin/python3 "$W/t.py"
status=$?
rm -rf "$W"
exit $status
