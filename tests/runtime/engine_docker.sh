# needs: docker.io containerd crun iptables iproute2 busybox-static
# timeout: 600
# alone
# dockerd, in a network namespace of its own, with picket in its daemon.json: whatever works with crun works with picket.
. "$TOP/tests/runtime/engine.sh.inc"

export HERE=$PWD
netns=picket-docker-$$
cat >daemon.json <<EOF2
{"data-root": "$PWD/data", "exec-root": "$PWD/exec", "pidfile": "$PWD/docker.pid", "hosts": ["unix://$PWD/docker.sock"],
 "storage-driver": "overlay2",
 "runtimes": {"picket": {"path": "$PICKET"}, "crun": {"path": "$PWD/crun-here"}}}
EOF2
docker() { /usr/bin/docker -H "unix://$HERE/docker.sock" "$@"; }
export -f docker

clean_up() {
    docker ps -aq 2>/dev/null | xargs -r /usr/bin/docker -H "unix://$HERE/docker.sock" rm -f >/dev/null 2>&1
    [ -n "$daemon" ] && kill "$(cat docker.pid)" 2>/dev/null && wait "$daemon" 2>/dev/null
    ip netns del "$netns" 2>/dev/null
    umount -R data exec 2>/dev/null
    rm -rf data exec 2>/dev/null
}
trap clean_up EXIT
ip netns add "$netns" 2>/dev/null || { echo "this host has no network namespaces to give"; exit 77; }
nsenter --net="/run/netns/$netns" ip link set lo up
# Not `ip netns exec`: it mounts another /sys, without the cgroups.
nsenter --net="/run/netns/$netns" unshare -m --propagation slave dockerd --config-file "$PWD/daemon.json" >daemon.log 2>&1 &
daemon=$!
tries=0
until docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 150 ] || { echo "dockerd does not start here: $(tail -1 daemon.log)"; exit 77; }
    sleep 0.2
done
busybox_tree tree
tar -C tree -c . | docker import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin' - bb:1 >/dev/null
[ "$(docker run --rm --runtime crun bb:1 echo works 2>crun.err)" = works ] ||
    { echo "docker does not run a container even with crun: $(tail -1 crun.err)"; exit 77; }

run_output() { docker run --rm --runtime $runtime bb:1 sh -c 'echo out; echo err >&2; exit 3'; }
run_input() { echo text | docker run --rm -i --runtime $runtime bb:1 cat; }
run_terminal() { docker run --rm -t --runtime $runtime bb:1 tty; }
run_user() { docker run --rm -u www --runtime $runtime bb:1 sh -c 'id -u; id -g'; }
run_volume() { mkdir -p "v$runtime"; docker run --rm -v "$HERE/v$runtime:/data" --runtime $runtime bb:1 sh -c 'echo w >/data/f'; cat "v$runtime/f"; }
run_tmpfs() { docker run --rm --tmpfs /mnt --runtime $runtime bb:1 sh -c 'echo x >/mnt/f && cat /mnt/f'; }
run_read_only() { docker run --rm --read-only --runtime $runtime bb:1 sh -c 'echo x >/f; echo $?'; }
run_init() { docker run --rm --init --runtime $runtime bb:1 sh -c 'exit 4'; }
run_memory() { docker run --rm -m 100m --runtime $runtime bb:1 echo limited; }
run_network_none() { docker run --rm --network none --runtime $runtime bb:1 sh -c 'ip -o link | wc -l'; }
run_hostname() { docker run --rm -h web --runtime $runtime bb:1 hostname; }
run_caps() { docker run --rm --cap-drop all --cap-add CHOWN --runtime $runtime bb:1 grep CapEff /proc/self/status; }
detached() {
    docker run -d --name d$runtime --runtime $runtime bb:1 sleep 1000 >/dev/null
    docker logs d$runtime
    docker exec d$runtime sh -c 'echo in exec; exit 6'; echo "exec $?"
    echo piped | docker exec -i d$runtime cat
    docker exec -t d$runtime tty
    docker exec -u www -w /tmp -e A=b d$runtime sh -c 'id -u; pwd; echo $A'
    docker exec d$runtime no-such-program >/dev/null 2>&1; echo "missing $?"
    docker pause d$runtime >/dev/null && docker inspect --format '{{.State.Status}}' d$runtime
    docker unpause d$runtime >/dev/null && docker inspect --format '{{.State.Status}}' d$runtime
    docker stats --no-stream --format '{{.Name}}' d$runtime
    docker top d$runtime | tail -1 | awk '{print $8, $9}'
    docker kill d$runtime >/dev/null
    docker wait d$runtime
    docker rm d$runtime >/dev/null
}
stop_and_start() {
    docker run -d --name s$runtime --runtime $runtime bb:1 sh -c 'trap "exit 8" TERM; while :; do sleep 0.1; done' >/dev/null
    sleep 0.5
    docker stop -t 5 s$runtime >/dev/null
    docker inspect --format '{{.State.ExitCode}}' s$runtime
    docker start s$runtime >/dev/null
    docker restart -t 5 s$runtime >/dev/null
    docker inspect --format '{{.State.Running}}' s$runtime
    docker rm -f s$runtime >/dev/null
}
copy() {
    docker run -d --name c$runtime --runtime $runtime bb:1 sleep 1000 >/dev/null
    echo copied >copied
    docker cp copied c$runtime:/tmp/in
    docker exec c$runtime cat /tmp/in
    docker exec c$runtime sh -c 'echo inside >/root/out'
    docker cp c$runtime:/root/out got && cat got
    docker diff c$runtime | sort
    docker commit c$runtime committed-$runtime:1 >/dev/null
    docker run --rm --runtime $runtime committed-$runtime:1 cat /root/out
    docker rm -f c$runtime >/dev/null
}
shared_network() {
    docker run -d --name n$runtime --runtime $runtime bb:1 sh -c 'while :; do echo served | nc -l -p 8080; done' >/dev/null
    sleep 0.5
    docker run --rm --network container:n$runtime --runtime $runtime bb:1 nc 127.0.0.1 8080
    docker rm -f n$runtime >/dev/null
}
cases run_output run_input run_terminal run_user run_volume run_tmpfs run_read_only run_init run_memory run_network_none \
    run_hostname run_caps detached stop_and_start copy shared_network

# Where crun's words are not the ones docker looks for, what docker documents counts.
status 127 docker run --rm --runtime picket bb:1 no-such-program
status 126 docker run --rm --runtime picket bb:1 /etc/passwd
docker run -d --name update --runtime picket bb:1 sleep 1000 >/dev/null
status 0 docker update --pids-limit 100 update
docker rm -f update >/dev/null
finish
