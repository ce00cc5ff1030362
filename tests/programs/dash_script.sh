#!/bin/dash
# timeout: 60
# Pipes, traps, here-documents, background jobs, redirections, subshells in dash.
W=$(mktemp -d)
cd "$W" || exit 1
trap 'rm -rf "$W"; echo exit trap' EXIT
cat <<E > in
line one
line two
E
cat in | while read -r a b; do echo "$b $a"; done
{ echo out; echo err >&2; } > both 2>&1
cat both
exec 5> five
echo to five >&5
exec 5>&-
cat five
exec 6< in
read -r first <&6
read -r second <&6
echo "$second / $first"
(sleep 0.2; echo later) &
echo sooner
wait $!
echo "status $?"
(exit 3) &
wait $!
echo "status $?"
trap 'echo got usr1' USR1
(kill -USR1 $$)
sleep 0.1
trap '' INT
kill -INT $$
echo survived
sh -c 'kill -KILL $$'
echo "killed $?"
sh -c 'kill -SEGV $$' 2>/dev/null
echo "segv $?"
set -- $(seq 1 5)
echo $# "$3"
i=0
while :; do i=$((i + 1)); [ $i -ge 300 ] && break; done
echo $i
echo a b c | (read -r x y; echo "$y"; cat)
seq 100 | sort -rn | head -5 | tail -2 | tr '\n' ' '
echo
yes pipe | head -3
echo 'echo sourced $1' > s
set -- arg
. ./s
umask 027
touch m
stat -c %a m
ulimit -n 64
ulimit -n
/no/such/program
echo $?
./in
echo $?
mkdir d
cd d || exit
pwd | sed "s,$W,W,"
cd ..
for f in *; do printf '%s ' "$f"; done
echo
printf '%s\n' "$(printf 'a\0b' | wc -c)"
