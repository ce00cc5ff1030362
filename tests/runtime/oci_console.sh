# needs: busybox-static python3
# --console-socket: the engine gets a master whose other end is the container's terminal.
. "$TOP/tests/runtime/oci.sh.inc"

bundle b sh -c 'tty; stty size; read line; echo "got $line"'
edit b "c['process']['terminal']=True; c['process']['consoleSize']={'height': 33, 'width': 77}"
python3 - "$PICKET" "$state" >out.txt <<'PY' || fail "console: $(cat out.txt)"
import array, os, socket, subprocess, sys
rt = [sys.argv[1], "--root", sys.argv[2]]
listener = socket.socket(socket.AF_UNIX)
listener.bind("console.sock")
listener.listen()
create = subprocess.Popen(rt + ["create", "--bundle", "b", "--console-socket", "console.sock", "one"], stdin=subprocess.DEVNULL)
peer, _ = listener.accept()
_, fds, _, _ = socket.recv_fds(peer, 1000, 1)
assert create.wait() == 0
subprocess.run(rt + ["start", "one"], check=True)
text = b""
os.set_blocking(fds[0], True)
sent = False
while True:
    try:
        data = os.read(fds[0], 1000)
    except OSError:
        break
    if not data:
        break
    text += data
    if not sent and b"77" in text:
        os.write(fds[0], b"hello\r")
        sent = True
    if b"got hello" in text:
        break
text = text.decode()
print(text)
assert "/dev/pts/0" in text, text
assert "33 77" in text, text
assert "got hello" in text, text
subprocess.run(rt + ["delete", "--force", "one"], check=True)
PY
status 1 picket create --bundle b two
grep -q "console-socket" err.txt || fail "no console socket: $(cat err.txt)"
finish
