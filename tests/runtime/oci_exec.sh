# needs: busybox-static python3
# exec: by command line and by process.json; its own host process, status, ids and descriptors.
. "$TOP/tests/runtime/oci.sh.inc"

bundle b sleep 1000
status 0 picket run --detach --bundle b one </dev/null
same "output" "hello" "$(picket exec one echo hello)"
same "input" "piped" "$(echo piped | picket exec one cat)"
status 5 picket exec one sh -c 'exit 5'
status 137 picket exec one sh -c 'kill -KILL $$'
status 127 picket exec one no-such-program
same "its environment" "value" "$(picket exec -e NAME=value one sh -c 'echo $NAME')"
same "its user" "33:33" "$(picket exec -u 33:33 one sh -c 'echo $(id -u):$(id -g)')"
same "its directory" "/etc" "$(picket exec --cwd /etc one pwd)"
cat >process.json <<'JSON'
{"args": ["sh", "-c", "echo $A $(id -u) $(pwd); exit 6"], "env": ["PATH=/bin", "A=b"], "cwd": "/tmp",
 "user": {"uid": 1, "gid": 2, "additionalGids": [3]}}
JSON
same "process.json" "b 1 /tmp" "$(picket exec --process process.json one)"
status 6 picket exec --process process.json one

# Detached: a host process whose number is in the pid file.
status 0 picket exec --detach --pid-file pid one sleep 500
grep -q sleep "/proc/$(cat pid)/cmdline" || fail "the agent does not show its process's name"
picket ps one | grep -q 'sleep 500\|sleep' || fail "ps does not show it"
picket ps --format json one | grep -qw "$(cat pid)" || fail "ps --format json does not list the agent"
kill -KILL "$(cat pid)"
tries=0
while picket exec one pidof sleep | grep -q ' ' && [ $tries -lt 40 ]; do sleep 0.05; tries=$((tries + 1)); done
same "killed with its agent" 1 "$(picket exec one pidof sleep | wc -w)"

# Descriptors from 3 on.
echo preserved >file
same "preserved" "preserved" "$(picket exec --preserve-fds 1 one sh -c 'cat <&3' 3<file)"
status 0 picket delete --force one
status 1 picket exec one true
finish
