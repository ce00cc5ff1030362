# Signals go in, the exit status comes out, and everything is gone afterwards.
# timeout: 60
. "$TOP/tests/runtime/lib.sh.inc"

status 143 "$PICKET" do -- sh -c 'kill -TERM $$'
status 137 "$PICKET" do -- sh -c 'kill -KILL $$'
status 134 "$PICKET" do -- sh -c 'ulimit -c 0; kill -ABRT $$'

# run_and_signal SIGNAL WANTED COMMAND...
run_and_signal() {
    local sig=$1 want=$2 pid all
    shift 2
    rm -f ready
    mkfifo ready
    env --default-signal=INT,QUIT "$PICKET" do -- "$@" >ready 2>err.txt &
    pid=$!
    read -r _ <ready
    all=$(descendants $pid)
    kill -"$sig" $pid
    wait $pid
    local got=$?
    [ "$got" = "$want" ] || { fail "SIG$sig: wanted $want, got $got"; cat err.txt; }
    # shellcheck disable=SC2086
    gone $all
}
run_and_signal TERM 143 sh -c 'echo ready; exec sleep 30'
run_and_signal INT 130 sh -c 'trap - INT; echo ready; exec sleep 30'
run_and_signal HUP 129 sh -c 'echo ready; exec sleep 30'
run_and_signal USR1 7 sh -c 'trap "exit 7" USR1; echo ready; while :; do sleep 0.05; done'
run_and_signal QUIT 131 sh -c 'ulimit -c 0; echo ready; exec sleep 30'
# What the command leaves running ends with it.
run_and_signal TERM 143 sh -c 'sleep 30 & sleep 30 & echo ready; exec sleep 30'
run_and_signal KILL 137 sh -c 'sleep 30 & echo ready; exec sleep 30'
finish
