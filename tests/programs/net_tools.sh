#!/bin/sh
# memcached, iperf3, socat, git over http and its own protocol, ssh to this machine.
# needs: memcached iperf3 socat netcat-openbsd git python3 openssh-server openssh-client
# timeout: 120
set -u
dir=$(mktemp -d)
cd "$dir" || exit 1
export HOME="$dir"
wait_port() {
    for _ in $(seq 200); do
        nc -z 127.0.0.1 "$1" 2>/dev/null && return
        sleep 0.05
    done
}
memcached -u root -l 127.0.0.1 -p 21211 -U 21211 &
server=$!
wait_port 21211
printf 'set k 0 0 3\r\nabc\r\nget k\r\nquit\r\n' | nc -q1 127.0.0.1 21211
kill $server
wait $server 2>/dev/null
iperf3 -s -1 -p 15222 >/dev/null &
wait_port 15222 # this takes the one test it serves only if it talks
sleep 0.2
iperf3 -c 127.0.0.1 -p 15222 -n 50M >/dev/null; echo "iperf3: $?"
wait
iperf3 -s -1 -p 15223 >/dev/null &
sleep 0.5
iperf3 -u -b 50M -c 127.0.0.1 -p 15223 -t 1 >/dev/null; echo "iperf3 -u: $?"
wait
socat TCP-LISTEN:17123,reuseaddr,bind=127.0.0.1 EXEC:'tr a-z A-Z' &
sleep 0.3
echo hello | socat - TCP:127.0.0.1:17123
wait

git init -q --bare repo.git
git init -q work
(
    cd work || exit
    git config user.email a@example.org
    git config user.name a
    seq 1 10000 >file
    git add file
    git commit -qm one
    git push -q ../repo.git HEAD:refs/heads/master
)
git -C repo.git symbolic-ref HEAD refs/heads/master
git -C repo.git update-server-info
python3 -m http.server 18123 --bind 127.0.0.1 >/dev/null 2>&1 &
server=$!
wait_port 18123
git clone -q http://127.0.0.1:18123/repo.git by_http && cmp by_http/file work/file && echo "git over http"
kill $server
git daemon --base-path="$dir" --export-all --reuseaddr --listen=127.0.0.1 --port=19418 &
server=$!
wait_port 19418
git clone -q git://127.0.0.1:19418/repo.git by_git && cmp by_git/file work/file && echo "git protocol"
kill $server
wait 2>/dev/null

mkdir -p /run/sshd
for k in host id; do ssh-keygen -q -t ed25519 -N '' -f $k; done
cp id.pub auth
chmod 600 host id auth
/usr/sbin/sshd -D -p 12299 -o ListenAddress=127.0.0.1 -h "$dir/host" -o AuthorizedKeysFile="$dir/auth" \
    -o StrictModes=no -o UsePAM=no -o PidFile=none 2>/dev/null &
server=$!
wait_port 12299
options="-i id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
# shellcheck disable=SC2086
ssh -p 12299 $options "$(id -un)@127.0.0.1" 'echo over ssh; id -un; exit 3'
echo "ssh: $?"
seq 1 300000 >blob
# shellcheck disable=SC2086
scp -q -P 12299 $options blob "$(id -un)@127.0.0.1:$dir/copy" && cmp blob copy && echo copied
kill $server
wait 2>/dev/null
rm -rf "$dir"
