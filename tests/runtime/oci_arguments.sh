# needs: busybox-static python3
# The spellings of options that runc's and crun's callers use, and the errors they look for.
. "$TOP/tests/runtime/oci.sh.inc"

same "version" "picket version" "$("$PICKET" --version | head -1 | cut -d' ' -f1,2)"
"$PICKET" --version | grep -q '^spec: 1\.' || fail "no spec version"
for verb in create start run exec kill delete state list ps pause resume wait events update spec features checkpoint \
    restore stacks strace metrics debug install uninstall; do
    status 0 "$PICKET" "$verb" --help
done
for flags in "--root $state" "--root=$state" "-root $state" "-root=$state"; do
    # shellcheck disable=SC2086  # words
    status 0 "$PICKET" $flags --systemd-cgroup --debug=false --rootless=auto --cgroup-manager cgroupfs list
done
status 125 "$PICKET" --no-such-flag list
status 1 picket list --no-such-flag
status 1 picket start
status 1 picket start nobody
status 1 picket state nobody
status 1 picket kill nobody KILL
status 1 picket delete nobody
status 0 picket delete --force nobody
status 0 picket delete -f nobody
status 0 picket delete -force nobody
status 1 picket create '../escape'
status 1 picket create --bundle /no/such/bundle one
status 1 picket checkpoint one
same "nothing is left" "" "$(picket list -q)"

# Errors go to the log, as JSON lines.
picket --log log.json --log-format json state nobody 2>err.txt
same "level" "error" "$(python3 -c "import json; print(json.loads(open('log.json').readline())['level'])")"
grep -q "container 'nobody' does not exist" log.json || fail "the log has no message"
grep -q "container 'nobody' does not exist" err.txt || fail "standard error has no message"

picket features | python3 -c "import json, sys; f = json.load(sys.stdin); assert f['linux']['namespaces']" ||
    fail "features is no good JSON"

# Programs that are not there, or not executable, are told at create; nothing is left of the attempt.
bundle b no-such-program
status 127 picket create --bundle b one
grep -q 'executable file `no-such-program` not found in \$PATH' err.txt || fail "missing program: $(cat err.txt)"
edit b "c['process']['args']=['/etc/passwd']"
status 126 picket create --bundle b one
grep -qi 'permission denied' err.txt || fail "not executable: $(cat err.txt)"
edit b "c['process']['args']=['/no/such']"
status 127 picket create --bundle b one
grep -qi 'no such file or directory' err.txt || fail "missing path: $(cat err.txt)"
edit b "c['process']['args']=['true']; c['process']['terminal']=True"
status 1 picket create --bundle b one
edit b "c['process']['rlimits'][0]['type']='RLIMIT_FOO'"
status 1 picket create --bundle b one
grep -q 'process.rlimits\[0\].type: unknown limit "RLIMIT_FOO"' err.txt || fail "bad limit: $(cat err.txt)"
same "nothing is left" "" "$(ls "$state")"
finish
