# needs: busybox-static python3
# create, start, state, kill, delete, run, list, wait: a container's life.
. "$TOP/tests/runtime/oci.sh.inc"

bundle b sh -c 'echo out; echo err >&2; exit 7'
same "run" "out 7" "$(picket run --bundle b one 2>err.txt | tr '\n' ' '; echo "${PIPESTATUS[0]}")"
same "stderr" "err" "$(cat err.txt)"
same "run cleans up" "" "$(picket list -q)"

edit b "c['process']['args']=['sleep','1000']"
status 0 picket create --bundle b --pid-file pid two
same "created" "created" "$(field two status)"
same "pid file" "$(field two pid)" "$(cat pid)"
same "bundle" "$PWD/b" "$(field two bundle)"
status 1 picket create --bundle b two
grep -q "already exists" err.txt || fail "a second create: $(cat err.txt)"
status 0 picket start two
same "running" "running" "$(field two status)"
status 1 picket start two
status 1 picket delete two
same "listed" "two running" "$(picket list | awk '$1 == "two" {print $1, $3}')"
same "listed as JSON" "two" "$(picket list --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')"
[ -x "/proc/$(cat pid)/root/bin/busybox" ] || fail "the agent's root is not the container's"
picket wait two & waiter=$!
sleep 0.2
status 0 picket kill two KILL
wait $waiter
same "wait" 137 $?
until_status two stopped
status 1 picket kill two TERM
grep -q "not running" err.txt || fail "kill of a stopped container: $(cat err.txt)"
status 0 picket kill --all two 9
status 0 picket delete two
status 1 picket delete two
status 0 picket delete --force two

# A process 1 without a handler for it is not ended by SIGTERM; one with a handler gets it.
edit b "c['process']['args']=['sh','-c','trap \"exit 9\" TERM; echo ready; while :; do sleep 0.1; done']"
picket run --bundle b three >out.txt & runner=$!
until grep -q ready out.txt; do sleep 0.05; done
status 0 picket kill three 15
wait $runner
same "trapped" 9 $?

# Who kills the agent kills the container; the list does not lie.
edit b "c['process']['args']=['sleep','1000']"
status 0 picket run --detach --bundle b --pid-file pid four
kernel=$(cat /proc/"$(cat pid)"/task/*/children)
kill -KILL "$(cat pid)"
until_status four stopped
# shellcheck disable=SC2086  # words
gone $kernel
status 0 picket delete four

# A container that was created and never started is deleted like any.
status 0 picket create --bundle b five
status 0 picket delete five
status 0 picket create --bundle b six
status 0 picket kill six KILL
until_status six stopped
status 0 picket delete --force six
same "nothing is left" "" "$(ls "$state")"

# The exit status is there for who reaps: the agent is a child of the caller's subreaper.
edit b "c['process']['args']=['sh','-c','kill -SEGV \$\$; exit 4']"
python3 - "$PICKET" "$state" <<'PY' || fail "subreaper"
import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
rt = [sys.argv[1], "--root", sys.argv[2]]
subprocess.run(rt + ["create", "--bundle", "b", "--pid-file", "pid", "seven"], check=True, stdin=subprocess.DEVNULL)
pid = int(open("pid").read())
subprocess.run(rt + ["start", "seven"], check=True)
got, status = os.waitpid(pid, 0)
assert os.WIFEXITED(status) and os.WEXITSTATUS(status) in (4, 139), status
subprocess.run(rt + ["delete", "seven"], check=True)
PY
finish
