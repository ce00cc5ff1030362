#!/bin/sh
# redis-server with redis-cli and redis-benchmark over TCP, and what it has on disk after a restart.
# needs: redis-server redis-tools
# timeout: 120
set -u
port=17379
dir=$(mktemp -d)
cd "$dir" || exit 1
serve() {
    redis-server --port $port --bind 127.0.0.1 --dir "$dir" --appendonly yes --save 60 1 >log 2>&1 &
    server=$!
    for _ in $(seq 200); do
        [ "$(redis-cli -p $port ping 2>/dev/null)" = PONG ] && return
        sleep 0.05
    done
}
cli() {
    redis-cli -p $port "$@"
}
serve
cli set key value
cli rpush list a b c
cli lrange list 0 -1
cli eval 'return redis.call("get", KEYS[1])' 1 key
redis-benchmark -p $port -q -n 2000 -c 20 -t set,get,lpush 2>/dev/null | tr '\r' '\n' | grep -c 'requests per second'
redis-benchmark -p $port -q -n 4000 -c 10 -P 16 -t incr 2>/dev/null | tr '\r' '\n' | grep -c 'requests per second'
head -c 3000000 /dev/zero | tr '\0' x | redis-cli -p $port -x set big
cli strlen big
cli bgsave
while [ "$(cli info persistence | tr -d '\r' | grep -c 'rdb_bgsave_in_progress:1')" = 1 ]; do sleep 0.05; done
cli bgrewriteaof
while [ "$(cli info persistence | tr -d '\r' | grep -Ec 'aof_rewrite_(in_progress|scheduled):1')" = 1 ]; do sleep 0.05; done
cli shutdown
wait $server
echo "ended with $?"
serve
cli get key
cli strlen big
cli shutdown
wait $server
echo "ended with $?"
ls
rm -rf "$dir"
