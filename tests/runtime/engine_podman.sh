# needs: podman conmon netavark aardvark-dns crun iptables catatonit busybox-static
# timeout: 600
# alone
# podman with picket as its runtime: whatever works with crun here works with picket.
. "$TOP/tests/runtime/engine.sh.inc"

hard=$(ulimit -Hn)
cat >containers.conf <<EOF2
[containers]
default_ulimits = ["nofile=$hard:$hard", "nproc=32768:32768"]
[engine]
runtime_supports_json = ["picket", "crun-here"]
[engine.runtimes]
picket = ["$PICKET"]
crun-here = ["$PWD/crun-here"]
EOF2
export CONTAINERS_CONF=$PWD/containers.conf HERE=$PWD
podman() {
    local rt=picket
    [ "$runtime" = crun ] && rt=crun-here
    command podman --root "$HERE/graph" --runroot "$HERE/run" --runtime "$rt" "$@"
}
export -f podman

clean_up() {
    runtime=picket podman pod rm -fa >/dev/null 2>&1
    runtime=picket podman rm -fa -t 0 >/dev/null 2>&1
    umount -R graph/overlay 2>/dev/null
    rm -rf graph run 2>/dev/null
}
trap clean_up EXIT

busybox_tree tree
runtime=picket
tar -C tree -c . | podman import --change 'ENV PATH=/bin' --change 'CMD ["/bin/sh"]' - localhost/bb:1 >/dev/null 2>import.err ||
    { echo "podman cannot import an image here: $(tail -1 import.err)"; exit 77; }
[ "$(runtime=crun podman run --rm --network none localhost/bb:1 echo works 2>crun.err)" = works ] ||
    { echo "podman does not run a container even with crun: $(tail -1 crun.err)"; exit 77; }

run_output() { podman run --rm localhost/bb:1 sh -c 'echo out; echo err >&2; exit 3'; }
run_input() { echo text | podman run --rm -i localhost/bb:1 cat; }
run_terminal() { podman run --rm -t localhost/bb:1 tty; }
run_missing() { podman run --rm localhost/bb:1 no-such-program; }
run_not_executable() { podman run --rm localhost/bb:1 /etc/passwd; }
run_user() { podman run --rm -u www localhost/bb:1 sh -c 'id -u; id -g'; }
run_cwd() { podman run --rm -w /var localhost/bb:1 pwd; }
run_env() { podman run --rm -e NAME=value localhost/bb:1 sh -c 'echo $NAME'; }
run_hostname() { podman run --rm --hostname web localhost/bb:1 hostname; }
run_read_only() { podman run --rm --read-only localhost/bb:1 sh -c 'echo x >/file; echo $?; echo x >/tmp/file; echo $?'; }
run_tmpfs() { podman run --rm --tmpfs /mnt localhost/bb:1 sh -c 'echo x >/mnt/f && cat /mnt/f; grep -c "^tmpfs /mnt tmpfs" /proc/mounts'; }
run_volume() {
    mkdir -p "vol-$runtime"
    podman run --rm -v "$HERE/vol-$runtime:/data" localhost/bb:1 sh -c 'echo written >/data/file'
    cat "vol-$runtime/file"
    podman run --rm -v "$HERE/vol-$runtime:/data:ro" localhost/bb:1 sh -c 'cat /data/file; echo x >/data/file; echo $?'
}
run_named_volume() {
    podman volume create "v$runtime" >/dev/null
    podman run --rm -v "v$runtime:/data" localhost/bb:1 sh -c 'echo kept >/data/f'
    podman run --rm -v "v$runtime:/data" localhost/bb:1 cat /data/f
    podman volume rm "v$runtime" >/dev/null
}
run_file() {
    echo one-file >single
    podman run --rm -v "$HERE/single:/etc/single:ro" localhost/bb:1 cat /etc/single
}
run_ulimit() { podman run --rm --ulimit nofile=100:200 --ulimit nproc=1000:1000 localhost/bb:1 sh -c 'ulimit -Sn; ulimit -Hn'; }
run_caps() { podman run --rm --cap-drop all --cap-add CHOWN localhost/bb:1 grep CapEff /proc/self/status; }
run_no_new_privileges() { podman run --rm --security-opt no-new-privileges localhost/bb:1 grep NoNewPrivs /proc/self/status; }
run_seccomp() { podman run --rm localhost/bb:1 grep Seccomp: /proc/self/status; }
run_unconfined() { podman run --rm --security-opt seccomp=unconfined localhost/bb:1 grep Seccomp: /proc/self/status; }
run_network_none() { podman run --rm --network none localhost/bb:1 sh -c 'ip -o link | wc -l; ip -o -4 addr show lo | grep -c 127.0.0.1'; }
run_init() { podman run --rm --init localhost/bb:1 sh -c 'echo up; exit 4'; }
run_sysctl() { podman run --rm --sysctl kernel.msgmax=5000 localhost/bb:1 cat /proc/sys/kernel/msgmax; }
run_pids_limit() { podman run --rm --pids-limit 5 localhost/bb:1 sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 3 & done 2>/dev/null; echo limited'; }
run_add_host() { podman run --rm --add-host other:1.2.3.4 localhost/bb:1 grep other /etc/hosts; }
run_shm_size() { podman run --rm --shm-size 5m localhost/bb:1 sh -c 'df -k /dev/shm | tail -1 | awk "{print \$2}"'; }
detached() {
    podman run -d --name d$runtime localhost/bb:1 sh -c 'echo started; exec sleep 1000' >/dev/null
    sleep 0.5
    podman logs d$runtime
    podman inspect --format '{{.State.Status}}' d$runtime
    podman ps --format '{{.Names}}' | grep -c d$runtime
    podman exec d$runtime sh -c 'echo in exec; exit 6'
    echo "exec $?"
    echo piped | podman exec -i d$runtime cat
    podman exec -u www -w /tmp -e A=b d$runtime sh -c 'id -u; pwd; echo $A'
    podman exec d$runtime no-such-program
    echo "missing $?"
    podman exec -t d$runtime tty
    podman exec -d d$runtime touch /tmp/by-detached-exec >/dev/null
    sleep 0.3
    podman exec d$runtime ls /tmp
    podman pause d$runtime >/dev/null && podman inspect --format '{{.State.Status}}' d$runtime
    podman unpause d$runtime >/dev/null && podman inspect --format '{{.State.Status}}' d$runtime
    podman update --memory 100m d$runtime >/dev/null 2>&1; echo "update $?"
    podman stats --no-stream --format '{{.Name}}' d$runtime
    podman top d$runtime -eo pid,comm | tail -1 | awk '{print $2}'
    podman kill d$runtime >/dev/null
    podman wait d$runtime
    podman rm d$runtime >/dev/null
}
stop_and_start() {
    podman run -d --name s$runtime localhost/bb:1 sh -c 'trap "exit 8" TERM; while :; do sleep 0.1; done' >/dev/null
    sleep 0.3
    podman stop -t 5 s$runtime >/dev/null
    podman inspect --format '{{.State.ExitCode}}' s$runtime
    podman start s$runtime >/dev/null
    podman inspect --format '{{.State.Running}}' s$runtime
    podman restart -t 5 s$runtime >/dev/null
    podman inspect --format '{{.State.Running}}' s$runtime
    podman rm -f -t 0 s$runtime >/dev/null
}
unhandled_signal() {
    podman run -d --name u$runtime localhost/bb:1 sleep 1000 >/dev/null
    podman kill -s USR1 u$runtime >/dev/null
    sleep 0.3
    podman inspect --format '{{.State.Running}}' u$runtime
    podman rm -f -t 0 u$runtime >/dev/null
}
copy() {
    podman run -d --name c$runtime localhost/bb:1 sleep 1000 >/dev/null
    echo copied >copied
    podman cp copied c$runtime:/tmp/in
    podman exec c$runtime cat /tmp/in
    podman exec c$runtime sh -c 'echo from-inside >/root/out'
    podman cp c$runtime:/root/out got && cat got
    podman diff c$runtime | sort
    podman commit -q c$runtime localhost/committed-$runtime:1 >/dev/null 2>&1
    podman run --rm localhost/committed-$runtime:1 cat /root/out
    podman rm -f -t 0 c$runtime >/dev/null
}
pod() {
    podman pod create --name p$runtime --infra-image localhost/bb:1 --infra-command 'sleep 10000' >/dev/null
    podman run -d --pod p$runtime --name server$runtime localhost/bb:1 sh -c 'while :; do echo served | nc -l -p 8080; done' >/dev/null
    sleep 0.7
    podman run --rm --pod p$runtime localhost/bb:1 sh -c 'nc 127.0.0.1 8080'
    podman pod ps --format '{{.Status}}' --filter name=p$runtime
    podman pod rm -f -t 0 p$runtime >/dev/null
}
play_kube() {
    cat >kube-$runtime.yaml <<YAML
apiVersion: v1
kind: Pod
metadata: {name: k$runtime}
spec:
  containers:
  - name: a
    image: localhost/bb:1
    command: [sh, -c, 'while :; do echo from-a | nc -l -p 9090; done']
  - name: b
    image: localhost/bb:1
    command: [sh, -c, 'sleep 1; nc 127.0.0.1 9090; exec sleep 1000']
YAML
    podman play kube --quiet kube-$runtime.yaml >/dev/null 2>&1; echo "play $?"
    sleep 2
    podman logs k$runtime-b
    podman play kube --down kube-$runtime.yaml >/dev/null 2>&1
}
health() {
    podman run -d --name h$runtime --health-cmd 'test -e /tmp/healthy' --health-interval disable localhost/bb:1 sleep 1000 >/dev/null
    podman healthcheck run h$runtime >/dev/null; echo "before $?"
    podman exec h$runtime touch /tmp/healthy
    podman healthcheck run h$runtime >/dev/null; echo "after $?"
    podman rm -f -t 0 h$runtime >/dev/null
}
build() {
    mkdir -p context
    printf 'FROM localhost/bb:1\nRUN echo built >/built && id -u\nCMD cat /built\n' >context/Containerfile
    podman build -q --ulimit nofile=1000:1000 --ulimit nproc=1000:1000 -t localhost/built-$runtime:1 context >/dev/null 2>build.err || tail -3 build.err
    podman run --rm localhost/built-$runtime:1
}

if [ $# -gt 0 ]; then
    cases "$@"
    finish
fi
cases run_output run_input run_terminal run_missing run_not_executable run_user run_cwd run_env run_hostname run_read_only \
    run_tmpfs run_volume run_named_volume run_file run_ulimit run_caps run_no_new_privileges run_seccomp run_unconfined \
    run_network_none run_init run_sysctl run_pids_limit run_add_host run_shm_size detached stop_and_start \
    unhandled_signal copy pod play_kube health build
finish
