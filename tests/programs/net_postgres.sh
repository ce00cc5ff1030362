#!/bin/sh
# PostgreSQL: initdb, a server on TCP, pgbench.
# needs: postgresql
# timeout: 180
# alone
set -u
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
dir=$(mktemp -d /tmp/net_postgres.XXXXXX)
chown postgres "$dir"
cd "$dir" || exit 1
cat >run <<E
cd $dir
$bin/initdb -D d >init.log 2>&1; echo "initdb: \$?"
$bin/pg_ctl -D d -w -o '-p 15499 -k $dir -h 127.0.0.1' -l log start >/dev/null; echo "start: \$?"
export PGHOST=127.0.0.1 PGPORT=15499
$bin/createdb t
$bin/pgbench -i -s 1 t >/dev/null 2>&1; echo "fill: \$?"
$bin/pgbench -c 4 -t 50 t 2>&1 | grep -E 'actually processed|failed'
$bin/pgbench -S -c 2 -T 1 t 2>&1 | grep -cE 'tps'
$bin/psql -At -c 'select count(*) from pgbench_accounts' t
$bin/psql -At -c 'select sum(tbalance) - (select sum(delta) from pgbench_history) from pgbench_tellers' t
$bin/pg_ctl -D d -w stop >/dev/null; echo "stop: \$?"
E
su postgres -s /bin/sh -c "sh $dir/run"
rm -rf "$dir"
