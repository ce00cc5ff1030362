#!/bin/bash
# timeout: 60
# bash: arrays, process substitution, coproc, job control, traps, here-strings, arithmetic, extglob, read timeouts.
W=$(mktemp -d)
cd "$W" || exit 1
a=(one two three)
declare -A m=([x]=1 [y]=2)
echo "${a[@]:1}" "${#a[@]}" "${m[y]}"
diff <(seq 1 5) <(seq 1 6)
echo $?
cat <<< "here string"
coproc { while read -r l; do echo "co: $l"; done; }
co_pid=$COPROC_PID
echo hello >&"${COPROC[1]}"
read -r answer <&"${COPROC[0]}"
echo "$answer"
eval "exec ${COPROC[1]}>&-"
wait "$co_pid"
echo "coproc $?"
set -m
sleep 0.3 &
jobs | sed 's/  */ /g'
wait %1
echo "job $?"
set +m
sleep 100 &
kill $!
wait $! 2>/dev/null
echo "killed $?"
trap 'echo ERR at $LINENO' ERR
false
trap - ERR
f() { local x=5; echo "in f $x"; }
f
read -r -t 0.1 nothing < <(sleep 1)
echo "timed out $(($? > 128))"
printf -v formatted '%05d' 42
echo "$formatted"
mapfile -t lines < <(seq 3)
echo "${lines[*]}"
shopt -s extglob nullglob
touch f1 f2 g1
echo !(f*)
[[ abc =~ ^a(.)c$ ]] && echo "${BASH_REMATCH[1]}"
echo $((2 ** 10)) $((0x1f)) $((7 / 2))
exec {fd}> out
echo "to fd" >&$fd
exec {fd}>&-
cat out
false | true
echo "${PIPESTATUS[@]}"
(trap 'echo term; exit 9' TERM; kill -TERM $BASHPID; sleep 5)
echo $?
for i in {1..20}; do (exit "$i") & pids[i]=$!; done
sum=0
for i in {1..20}; do wait "${pids[i]}"; sum=$((sum + $?)); done
echo "sum $sum"
time_out=$( { TIMEFORMAT=%R; time sleep 0.1; } 2>&1 )
case $time_out in 0.[1-9]*) echo time ok ;; *) echo "time $time_out" ;; esac
bash -c 'echo $0 $@' name arg1 arg2
echo $BASH_SUBSHELL $(echo $BASH_SUBSHELL)
cd / && rm -rf "$W"
