# The host's files: read-only below, writable above, gone afterwards; volumes reach the host.
. "$TOP/tests/runtime/lib.sh.inc"
do_() { "$PICKET" do "$@"; }

status 0 do_ -- sh -c 'echo x > /etc/picket-test && grep -q x /etc/picket-test'
[ -e /etc/picket-test ] && fail "a write reached the host"
status 0 do_ -- sh -c 'rm /etc/hostname && [ ! -e /etc/hostname ]'
[ -e /etc/hostname ] || fail "a removal reached the host"

mkdir -p vol ro
echo outside >vol/in
echo keep >ro/in
do_ --volume "$PWD/vol:/mnt" -- sh -c 'cat /mnt/in; echo inside > /mnt/out; mkdir /mnt/d; mv /mnt/in /mnt/d/in' >o
same "volume read" "outside" "$(cat o)"
same "volume write" "inside" "$(cat vol/out)"
same "volume rename" "outside" "$(cat vol/d/in)"
do_ --volume "$PWD/ro:/mnt:ro" -- sh -c 'cat /mnt/in; echo x > /mnt/in' >o 2>/dev/null && fail "a read-only volume took a write"
same "read-only volume" "keep keep" "$(cat o ro/in | tr '\n' ' ' | sed 's/ $//')"
do_ --volume "$PWD/vol:/mnt" --volume "$PWD/ro:/opt:ro" -- sh -c 'ls /mnt /opt' >/dev/null || fail "two volumes"

# Another root: only what is in it.
mkdir -p root/bin root/proc root/dev root/tmp root/etc
cp /bin/busybox root/bin/
same "--root" "bin dev etc proc tmp" "$(do_ --root "$PWD/root" /bin/busybox ls / | tr '\n' ' ' | sed 's/ $//')"
same "--root /proc" "1" "$(do_ --root "$PWD/root" /bin/busybox sh -c '[ -r /proc/self/status ] && echo 1')"
# The host's own /proc and /dev are not to be seen.
same "host processes" "no" "$(do_ -- sh -c '[ -e /proc/'$$'/exe ] && echo yes || echo no')"
finish
