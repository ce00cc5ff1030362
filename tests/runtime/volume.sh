# A writable volume of the host behaves as the host's own directory does: same output, same result on disk.
. "$TOP/tests/runtime/lib.sh.inc"
work="$TOP/tests/runtime/volume_work.sh.inc"
mkdir native volume
bash "$work" "$PWD/native" >native.out 2>&1 || fail "the script itself: $(tail -3 native.out)"
"$PICKET" do --volume "$PWD/volume:/mnt" -- bash "$work" /mnt >volume.out 2>&1 || fail "status $?: $(tail -3 volume.out)"
same "output" "$(cat native.out)" "$(cat volume.out)"
listing() { (cd "$1" && find . -printf '%p %y %m %n %s %l\n' | sort); }
same "result" "$(listing native)" "$(listing volume)"

# What the host changes meanwhile is seen: volumes are looked at anew.
echo before >volume/shared
same "shared" "before after gone" "$("$PICKET" do --volume "$PWD/volume:/mnt" -- sh -c '
    cat /mnt/shared; echo ready >/mnt/go
    while [ "$(cat /mnt/shared)" = before ]; do sleep 0.01; done
    cat /mnt/shared; rm /mnt/go
    while [ -e /mnt/shared ]; do sleep 0.01; done; echo gone' | tr '\n' ' ' | sed 's/ $//' &
    until [ -e volume/go ]; do sleep 0.01; done; echo after >volume/shared
    while [ -e volume/go ]; do sleep 0.01; done; rm volume/shared; wait)"
finish
