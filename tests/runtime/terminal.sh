# The caller's terminal: it is one inside, too, with sessions, job control, keys, sizes; and is left as it was found.
. "$TOP/tests/runtime/lib.sh.inc"
cat >terminal.py <<'PY'
import fcntl, os, pty, re, select, signal, struct, sys, termios, time
PICKET = os.environ["PICKET"]

class Terminal:
    def __init__(self, *cmd):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="$ ", TERM="dumb")
            os.execvp(cmd[0], cmd)
        self.resize(30, 100)
        self.text = ""

    def resize(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def expect(self, pattern, seconds=15):
        end = time.time() + seconds
        while True:
            m = re.search(pattern, self.text)
            if m:
                self.text = self.text[m.end():]
                return m
            if not select.select([self.fd], [], [], max(0, end - time.time()))[0]:
                raise AssertionError(f"no {pattern!r} in {self.text!r}")
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"end before {pattern!r} in {self.text!r}")
            self.text += data.decode(errors="replace")

    def status(self):
        try:
            while os.read(self.fd, 65536):
                pass
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

def inside():
    t = Terminal(PICKET, "do", "--", "/bin/bash", "--norc", "-i")
    t.expect(r"\$ ")
    t.type("tty; stty size; ls -l /proc/self/fd/0\n")
    t.expect(r"/dev/pts/0\r\n"), t.expect("30 100"), t.expect("-> /dev/pts/0")
    t.type("sleep 100\n"), time.sleep(0.7), t.type("\x03"), t.type("echo was $?\n"), t.expect("was 130")
    t.type("sleep 100\n"), time.sleep(0.7), t.type("\x1a"), t.expect("Stopped"), t.type("bg; jobs\n"), t.expect("Running")
    t.type("kill %1; wait; echo ended\n"), t.expect("ended\r\n")
    t.resize(40, 120), time.sleep(0.3), t.type("stty size\n"), t.expect("40 120")
    t.type("cat\n"), time.sleep(0.7), t.type("abcx\x7fd\n"), t.expect("\r\nabcd\r\n"), t.type("\x04")
    t.type("echo to the tty >/dev/tty\n"), t.expect("\r\nto the tty")
    t.type("stty raw -echo; dd bs=1 count=2 2>/dev/null | od -An -tx1; stty sane\n"), time.sleep(0.7)
    t.type("\x03\x04"), t.expect("03 04")
    t.type("exit 7\n")
    assert t.status() == 7

def as_a_job():
    t = Terminal("/bin/bash", "--norc", "-i")
    t.expect(r"\$ ")
    t.type(f"{PICKET} do -- sleep 77\n"), time.sleep(1.5), t.type("\x1a"), t.expect("Stopped"), t.expect(r"\$ ")
    t.type("fg\n"), t.expect("sleep 77\r\n"), time.sleep(0.7), t.type("\x03"), t.expect(r"\$ ")
    t.type("echo rc $?\n"), t.expect("rc 130"), t.expect(r"\$ ")
    t.type(f"{PICKET} do -- cat &\n"), t.expect(r"\[1\] \d+"), time.sleep(1.5), t.type("\n"), t.expect("Stopped"), t.expect(r"\$ ")
    t.type("fg\n"), t.expect("do -- cat\r\n"), time.sleep(0.7), t.type("to cat\n"), t.expect("to cat\r\nto cat\r\n")
    t.type("\x04"), t.expect(r"\$ ") # keys typed before the sandbox has ended are still its own
    t.type("echo rc $?\n"), t.expect("rc 0"), t.expect(r"\$ ")
    t.type(f"echo piped | {PICKET} do -- cat; echo rc $?\n"), t.expect("\r\npiped\r\n"), t.expect("rc 0"), t.expect(r"\$ ")
    t.type(f"echo x | {PICKET} do -- sh -c 'read y </dev/tty; echo got $y'\n"), time.sleep(1.5), t.type("typed\n")
    t.expect("got typed"), t.expect(r"\$ ")
    t.type("stty -a | tr ' ' '\\n' | grep -cx 'icanon\\|echo\\|opost\\|isig'\n"), t.expect("\r\n4\r\n")
    t.type("exit\n")
    t.status()

for test in inside, as_a_job:
    try:
        test()
    except AssertionError as e:
        print(test.__name__, e)
        sys.exit(1)
print("fine")
PY
same "terminal" "fine" "$(python3 terminal.py 2>&1)"
finish
