# What the command gets: environment, directory, user, host name, umask, limits, standard files.
. "$TOP/tests/runtime/lib.sh.inc"
do_() { "$PICKET" do "$@"; }

same "cwd" "$(pwd)" "$(do_ pwd)"
same "--cwd" "/usr" "$(do_ --cwd /usr pwd)"
same "environment" "seen" "$(MARK=seen do_ -- sh -c 'echo $MARK')"
same "--env" "new" "$(MARK=old do_ --env MARK=new -- sh -c 'echo $MARK')"
same "--env twice" "a b" "$(do_ -e A=a -e B=x -e B=b -- sh -c 'echo $A $B')"
same "not UTF-8" "$(printf 'x\377y' | od -c)" "$(do_ -- printf '%s' "$(printf 'x\377y')" | od -c)"
same "empty argument" "3" "$(do_ -- sh -c 'echo $#' sh '' a '')"
same "hostname" "$(hostname)" "$(do_ hostname)"
same "--hostname" "other" "$(do_ --hostname other hostname)"
same "uid" "$(id -u):$(id -g)" "$(do_ -- sh -c 'echo $(id -u):$(id -g)')"
same "groups" "$(id -G)" "$(do_ -- id -G)"
same "release" "6.12.0-picket" "$(do_ uname -r)"
same "umask" "0027" "$(umask 0027; do_ -- sh -c umask)"
same "limits" "$(ulimit -Sn 333; ulimit -Sn)" "$(ulimit -Sn 333; do_ -- sh -c 'ulimit -Sn')"
same "ignored signals" "alive" "$(trap '' USR1; do_ -- sh -c 'kill -USR1 $$; echo alive')"
same "stdin" "hello" "$(echo hello | do_ cat)"
same "stderr" "e" "$(do_ -- sh -c 'echo o; echo e >&2' 2>&1 >/dev/null)"
same "stdin closed" "closed" "$(do_ -- sh -c '[ -e /proc/self/fd/0 ] && echo open || echo closed' <&-)"
if [ "$(id -u)" = 0 ]; then
    same "--user by number" "1234:55" "$(do_ --user 1234:55 -- sh -c 'echo $(id -u):$(id -g)')"
    same "--user by name" "$(id -u nobody):$(id -g nobody)" "$(do_ --user nobody -- sh -c 'echo $(id -u):$(id -g)')"
fi

# A file given as stdout keeps its position, shared with whoever else has it open.
(echo a; do_ -- echo b; echo c) >f
same "shared position" "a b c" "$(tr '\n' ' ' <f | sed 's/ $//')"
(do_ -- head -c 2 >/dev/null; cat) <f >rest
# Descriptors beyond 2 stay outside.
same "no other descriptors" "0 1 2" "$(do_ -- sh -c 'for f in 0 1 2 7 8; do [ -e /proc/self/fd/$f ] && echo $f; done' 7</etc/passwd 8>x | tr '\n' ' ' | sed 's/ $//')"
finish
