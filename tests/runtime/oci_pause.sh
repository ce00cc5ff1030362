# needs: busybox-static python3
# pause and resume; update; events.
. "$TOP/tests/runtime/oci.sh.inc"

bundle b sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/count; sleep 0.02; done'
status 0 picket run --detach --bundle b one </dev/null >/dev/null
sleep 0.3
status 0 picket pause one
same "paused" "paused" "$(field one status)"
status 1 picket pause one
before=$(cat b/rootfs/tmp/count)
sleep 0.3
same "nothing moves" "$before" "$(cat b/rootfs/tmp/count)"
status 1 picket exec one true
status 0 picket resume one
same "running" "running" "$(field one status)"
sleep 0.3
now= # a file just truncated is empty for a moment
until [ "$now" ]; do now=$(cat b/rootfs/tmp/count); done
[ "$now" -gt "${before:-0}" ] || fail "it does not go on"
status 1 picket resume one

picket events --stats one | python3 -c "import json, sys; e = json.loads(sys.stdin.read()); assert e['type'] == 'stats'" ||
    fail "events"
status 0 picket update --memory 64m one
echo '{"cpu": {"shares": 512}}' | status 0 picket update --resources - one
status 0 picket delete --force one
finish
