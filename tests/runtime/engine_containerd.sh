# needs: containerd runc crun busybox-static iproute2
# timeout: 300
# alone
# containerd with the stock shim (io.containerd.runc.v2) and picket as its BinaryName, through ctr.
. "$TOP/tests/runtime/engine.sh.inc"

export HERE=$PWD
cat >config.toml <<EOF2
version = 2
root = "$PWD/root"
state = "$PWD/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$PWD/sock"
EOF2
ctr() { command ctr -a "$HERE/sock" "$@"; }
program() { [ "$runtime" = crun ] && echo "$HERE/crun-here" || echo "$PICKET"; }
run() { ctr run --runtime io.containerd.runc.v2 --runc-binary "$(program)" "$@"; }
export -f ctr program run
export PICKET

clean_up() {
    local id
    for id in $(ctr tasks ls -q 2>/dev/null); do
        ctr tasks kill -s KILL "$id" >/dev/null 2>&1
    done
    [ -n "$daemon" ] && kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null
    umount -R root state 2>/dev/null
}
trap clean_up EXIT
containerd -c config.toml >daemon.log 2>&1 &
daemon=$!
tries=0
until ctr version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo "containerd does not start here: $(tail -1 daemon.log)"; exit 77; }
    sleep 0.1
done

# An image in OCI's layout, by hand.
busybox_tree tree
mkdir -p image/blobs/sha256
blob() { # FILE -> its digest and size, moved into the layout
    local sum
    sum=$(sha256sum "$1" | cut -d' ' -f1)
    echo "\"digest\": \"sha256:$sum\", \"size\": $(stat -c %s "$1")"
    mv "$1" "image/blobs/sha256/$sum"
}
tar -C tree -cf layer.tar .
layer_sum=$(sha256sum layer.tar | cut -d' ' -f1)
layer=$(blob layer.tar)
echo "{\"architecture\": \"amd64\", \"os\": \"linux\", \"config\": {\"Env\": [\"PATH=/bin\"], \"Cmd\": [\"/bin/sh\"]},
 \"rootfs\": {\"type\": \"layers\", \"diff_ids\": [\"sha256:$layer_sum\"]}}" >config.json
config=$(blob config.json)
echo "{\"schemaVersion\": 2, \"mediaType\": \"application/vnd.oci.image.manifest.v1+json\",
 \"config\": {\"mediaType\": \"application/vnd.oci.image.config.v1+json\", $config},
 \"layers\": [{\"mediaType\": \"application/vnd.oci.image.layer.v1.tar\", $layer}]}" >manifest.json
manifest=$(blob manifest.json)
echo "{\"schemaVersion\": 2, \"manifests\": [{\"mediaType\": \"application/vnd.oci.image.manifest.v1+json\", $manifest,
 \"annotations\": {\"io.containerd.image.name\": \"localhost/bb:1\", \"org.opencontainers.image.ref.name\": \"1\"}}]}" >image/index.json
echo '{"imageLayoutVersion": "1.0.0"}' >image/oci-layout
tar -C image -cf image.tar .
ctr images import image.tar >/dev/null 2>import.err || { echo "containerd cannot import an image: $(tail -1 import.err)"; exit 77; }
runtime=crun
[ "$(run --rm localhost/bb:1 first echo works 2>crun.err)" = works ] ||
    { echo "containerd does not run a container even with crun: $(tail -1 crun.err)"; exit 77; }

run_output() { run --rm localhost/bb:1 "o$runtime" sh -c 'echo out; exit 3'; }
run_missing() { run --rm localhost/bb:1 "m$runtime" no-such-program >/dev/null 2>&1; [ $? -ne 0 ]; echo "failed $?"; }
detached() {
    run -d localhost/bb:1 "d$runtime" sleep 1000
    ctr tasks ls | awk -v id="d$runtime" '$1 == id {print $3}'
    ctr tasks exec --exec-id e1 "d$runtime" sh -c 'echo in exec; exit 6'; echo "exec $?"
    ctr tasks ps "d$runtime" | wc -l
    ctr tasks metrics "d$runtime" >/dev/null; echo "metrics $?"
    ctr tasks pause "d$runtime"
    ctr tasks ls | awk -v id="d$runtime" '$1 == id {print $3}'
    ctr tasks resume "d$runtime"
    ctr tasks ls | awk -v id="d$runtime" '$1 == id {print $3}'
    ctr tasks kill -s KILL "d$runtime"
    sleep 0.5
    ctr tasks ls | awk -v id="d$runtime" '$1 == id {print $3}'
    ctr tasks delete "d$runtime" 2>/dev/null; echo "ended $?"
    ctr containers delete "d$runtime"
}
cases run_output run_missing detached
finish
