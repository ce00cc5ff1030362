# needs: busybox-static python3
# Hooks: their order, the state on standard input, failures.
. "$TOP/tests/runtime/oci.sh.inc"

bundle b true
cat >hook <<EOF2
#!/bin/sh
echo "\$1 \$(python3 -c 'import json, sys; s = json.load(sys.stdin); print(s["id"], s["status"], s.get("pid", 0) > 0)')" >>$PWD/hooks.log
EOF2
chmod +x hook
edit b "c['hooks'] = {k: [{'path': '$PWD/hook', 'args': ['hook', k], 'env': ['PATH=/usr/bin:/bin']}] for k in
    ('prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop')}"
status 0 picket create --bundle b one
same "at create" "prestart one creating True;createRuntime one creating True;createContainer one creating True;" \
    "$(tr '\n' ';' <hooks.log)"
status 0 picket start one
until_status one stopped
status 0 picket delete one
same "then" "poststart one running True;poststop one stopped False;" "$(tail -n +4 hooks.log | tr '\n' ';')"

edit b "c['hooks'] = {'prestart': [{'path': '/bin/false'}]}"
status 1 picket create --bundle b two
grep -q "hook '/bin/false' failed with status 1" err.txt || fail "failing hook: $(cat err.txt)"
edit b "c['hooks'] = {'prestart': [{'path': '/bin/sleep', 'args': ['sleep', '100'], 'timeout': 1}]}"
status 1 picket create --bundle b two
grep -q "longer than 1 s" err.txt || fail "slow hook: $(cat err.txt)"
same "nothing is left" "" "$(ls "$state")"
finish
