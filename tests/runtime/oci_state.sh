# needs: busybox-static python3
# The state directory under concurrent use and crashes.
. "$TOP/tests/runtime/oci.sh.inc"

bundle b sleep 1000
# Of several at once, one wins.
for i in 1 2 3 4 5; do
    picket create --bundle b same </dev/null >/dev/null 2>&1 && echo won >>winners &
done
wait
same "one wins" 1 "$(wc -l <winners)"
# Two deletes at once, and a state beside them.
picket delete --force same & picket delete --force same & picket list >/dev/null
wait
same "gone" "" "$(picket list -q)"

# A command that is killed in the middle leaves nothing that lies, and delete --force cleans it up.
for delay in 0.001 0.005 0.01 0.02 0.03 0.05; do
    "$PICKET" --root "$state" create --bundle b crash </dev/null >/dev/null 2>&1 & command=$!
    sleep $delay
    kill -KILL $command 2>/dev/null
    wait $command 2>/dev/null
    picket list >/dev/null || fail "list after a crash"
    status 0 picket delete --force crash
done
same "nothing is left" "" "$(ls "$state")"
mkdir -p "$state/broken"
echo '{"id": ' >"$state/broken/state.json"
same "not shown" "" "$(picket list -q)"
status 0 picket delete --force broken
same "nothing is left" "" "$(ls "$state")"
finish
