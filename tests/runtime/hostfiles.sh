# The caller's descriptors: files keep their shared position and their flags, pipes and sockets block as they should, and
# nothing about the caller's own descriptions changes.
. "$TOP/tests/runtime/lib.sh.inc"
do_() { "$PICKET" do "$@"; }

printf 'line1\nline2\nline3\n' >in
same "shared read position" "line2" "$( (do_ -- sh -c 'read x' ; do_ -- sh -c 'read y; echo $y') <in)"
echo old >f
do_ -- echo new >>f
same "append" "old new" "$(tr '\n' ' ' <f | sed 's/ $//')"
same "big through a pipe" "$(seq 1 200000 | md5sum)" "$(seq 1 200000 | do_ cat | md5sum)"
same "read from a file" "$(md5sum <"$PICKET")" "$(do_ md5sum <"$PICKET")"
same "slow writer" "a b" "$( (echo a; sleep 0.3; echo b) | do_ cat | tr '\n' ' ' | sed 's/ $//')"
same "closed reader" "141" "$( (do_ -- yes; echo $? >st) | head -1 >/dev/null; cat st)"
same "seek" "ne2" "$(do_ -- sh -c 'dd bs=1 skip=8 count=3 2>/dev/null' <in)"
same "truncate by name" "0" "$(echo content >t; do_ -- sh -c ': >/dev/stdout' >>t; stat -c %s t)"
same "/dev/stderr" "msg" "$(do_ -- sh -c 'echo msg >/dev/stderr' 2>&1 >/dev/null)"
same "device" "character special file 1:3" "$(do_ -- stat -L -c '%F %t:%T' /proc/self/fd/0 </dev/null)"

cat >flags.py <<'PY'
import fcntl, os, socket, subprocess, sys
picket = os.environ["PICKET"]
r, w = os.pipe()
p = subprocess.Popen([picket, "do", "--", "cat"], stdin=r, stdout=subprocess.PIPE)
os.write(w, b"x")
assert p.stdout.read(1) == b"x"
assert not fcntl.fcntl(r, fcntl.F_GETFL) & os.O_NONBLOCK, "our pipe became non-blocking"
os.close(w)
assert p.wait() == 0
a, b = socket.socketpair()
p = subprocess.Popen([picket, "do", "--", "cat"], stdin=b, stdout=b)
b.close()
a.sendall(b"hello")
assert a.recv(10) == b"hello"
a.shutdown(socket.SHUT_WR)
assert a.recv(10) == b""
assert p.wait() == 0
print("fine")
PY
same "the caller's flags, and a socket" "fine" "$(python3 flags.py 2>&1)"
finish
