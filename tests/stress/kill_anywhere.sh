# SIGKILL to a random process of Picket at a random moment, 100 times: within a second everything of that sandbox is gone:
# processes, mounts, temporary files.
# timeout: 300
. "$TOP/tests/runtime/lib.sh.inc"
mounts_before=$(wc -l </proc/self/mountinfo)

for round in $(seq 100); do
    "$PICKET" do -- sh -c 'while :; do /bin/true; (sleep 0.01 | cat) & wait; done' >/dev/null 2>&1 &
    pid=$!
    sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
    all=$(descendants $pid)
    set -- $all
    shift $((RANDOM % $#))
    kill -KILL "$1" 2>/dev/null
    # Killing one stub process only ends one guest process; then the sandbox goes on, and is ended by its runtime.
    sleep 0.02
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    # shellcheck disable=SC2086
    gone $all || { echo "in round $round"; break; }
done
same "mounts" "$mounts_before" "$(wc -l </proc/self/mountinfo)"
same "files left" "" "$(ls)"
finish
