# The kernel process while a guest runs: own namespaces, an empty root, no privileges, a filter, no stray descriptors.
. "$TOP/tests/runtime/lib.sh.inc"

# inspect COMMAND-PREFIX...: starts a sandbox and looks at its kernel process from outside
inspect() {
    local who=$1 keep=$2
    shift 2
    rm -f ready
    mkfifo -m 666 ready
    "$@" "$PICKET" do -- sh -c 'echo ready; exec sleep 30' >ready 2>err.txt 9</etc/passwd &
    local pid=$!
    read -r _ <ready || { fail "$who: did not start"; cat err.txt; return; }
    local kernel ns
    kernel=$(cat /proc/$pid/task/$pid/children)
    kernel=${kernel%% *}
    for ns in user pid mnt net ipc uts; do
        [ "$(readlink /proc/"$kernel"/ns/$ns)" != "$(readlink /proc/self/ns/$ns)" ] || fail "$who: shares the host's $ns namespace"
    done
    same "$who: root" "" "$(ls -A /proc/"$kernel"/root/)"
    same "$who: mounts" "1" "$(wc -l </proc/"$kernel"/mountinfo)"
    same "$who: no_new_privs" "1" "$(awk '/^NoNewPrivs:/ {print $2}' /proc/"$kernel"/status)"
    same "$who: seccomp" "2" "$(awk '/^Seccomp:/ {print $2}' /proc/"$kernel"/status)"
    same "$who: bounding set" "0000000000000000" "$(awk '/^CapBnd:/ {print $2}' /proc/"$kernel"/status)"
    same "$who: ambient set" "0000000000000000" "$(awk '/^CapAmb:/ {print $2}' /proc/"$kernel"/status)"
    same "$who: capabilities" "$keep" "$(awk '/^CapPrm:/ {print $2}' /proc/"$kernel"/status)"
    [ "$(readlink /proc/"$kernel"/fd/9)" = /etc/passwd ] && fail "$who: inherited a descriptor"
    # Stub processes hold nothing of the host, and all of their threads are filtered.
    local stubs
    stubs=$(cat /proc/"$kernel"/task/*/children)
    [ -n "$stubs" ] || fail "$who: no stub processes found"
    for stub in $stubs; do
        same "$who: stub's seccomp" "2" "$(awk '/^Seccomp:/ {print $2}' /proc/"$stub"/status)"
        same "$who: stub's capabilities" "0000000000000000" "$(awk '/^CapEff:/ {print $2}' /proc/"$stub"/status)"
        readlink /proc/"$stub"/fd/* 2>/dev/null | grep -vE '^(anon_inode:\[eventfd\]|socket:.*)$' && fail "$who: a stub holds descriptors"
    done
    kill $pid
    wait $pid 2>/dev/null
}

# CAP_DAC_READ_SEARCH alone.
inspect root 0000000000000004 env
if [ "$(id -u)" = 0 ]; then
    setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$PICKET" &&
        inspect user 0000000000000004 setpriv --reuid 65534 --regid 65534 --clear-groups
fi
finish
