#!/bin/busybox sh
# needs: busybox-static
# timeout: 60
# A long script over BusyBox's applets, run by BusyBox's own shell with nothing else on PATH.
set -u
BB=/bin/busybox
W=$($BB mktemp -d)
cd "$W" || exit 1
$BB mkdir bin
for applet in $($BB --list); do
    case $applet in
    sh | ash | cat | ls | mkdir | rmdir | rm | cp | mv | ln | touch | chmod | stat | head | tail | wc | sort | uniq | cut | \
        tr | sed | awk | grep | find | xargs | tar | gzip | gunzip | zcat | bzip2 | bunzip2 | xz | unxz | md5sum | sha1sum | \
        sha256sum | sha512sum | cksum | cmp | diff | patch | dd | od | hexdump | expr | seq | yes | true | false | test | \
        printf | echo | basename | dirname | readlink | realpath | date | sleep | env | id | whoami | uname | pwd | tee | \
        split | nl | fold | expand | unexpand | paste | comm | rev | tac | cpio | du | mktemp | sync | nohup | timeout | \
        kill | wait | truncate | factor | bc | dc | base64 | uuencode | uudecode | strings | shuf | install | link | unlink | \
        mkfifo | flock | nice | printenv | which | logname | tty | sum | fsync | less | ed | vi | ar | unzip | crc32)
        $BB ln -s "$BB" "bin/$applet"
        ;;
    esac
done
PATH=$W/bin
export PATH
section() { echo "== $*"; }

section files
mkdir -p a/b/c a/d
echo one > a/1
echo two > a/b/2
printf 'three\n' > a/b/c/3
ln -s ../1 a/b/link
ln a/1 a/hard
ls a a/b a/b/c
stat -c '%n %s %h %F %a' a/1 a/b/2 a/b/link
stat -c '%n %h %F %a' a/d
readlink a/b/link
realpath a/b/link | sed "s,$W,W,"
cp -r a copy
find copy | sort
cp -a a exact
cmp a/1 exact/1 && echo same
mv copy moved
test -d copy || echo gone
rmdir a/d
rmdir a/b 2>/dev/null || echo not empty
chmod 640 a/1
stat -c %a a/1
touch -d '2020-01-02 03:04:05' a/1
TZ=UTC stat -c %y a/1
truncate -s 5 a/1
wc -c < a/1
cp a/b/2 copied
chmod 755 copied
stat -c '%a %s' copied
unlink copied
test -e copied && echo still here

section text
seq 1 20 > n
head -n 3 n
tail -n 2 n
tail -c 6 n
wc n
sort -rn n | head -n 2
seq 5 | tac
seq 1 3 | paste -d, - n | head -n 3
printf 'b\na\nb\nc\n' | sort | uniq -c
printf 'x:y:z\n1:2:3\n' | cut -d: -f2
echo 'Hello World' | tr a-z A-Z
echo abc | rev
printf 'a\tb\n' | expand -t 4
printf 'the quick brown fox\n' | fold -w 10
nl n | head -n 2
printf '1\n2\n3\n' > c1
printf '2\n3\n4\n' > c2
grep -vxFf c1 c2
sed -n '2p;s/1/X/p' c1
sed -e 's/\([0-9]\)/<\1>/' -e '$a end' c1
awk '{ s += $1 } END { print s, NR }' n
awk -F: '{ print $2 }' <<END
a:b:c
d:e:f
END
awk 'BEGIN { for (i = 0; i < 3; i++) printf "%d ", i * i; print "" }'
grep -c 1 n
grep -n '^1.$' n | head -n 2
grep -r two a | sort
grep -q nothing n || echo absent
printf 'a b\nc\n' | xargs -n 1 echo item
diff c1 c2
diff c1 c2 > p
patch c1 p > /dev/null && cmp c1 c2 && echo patched
head -n 10 n > part.1
tail -n +11 n > part.2
ls part.*
cat part.* | cmp - n && echo joined

section sums
md5sum n
sha1sum n
sha256sum n
sha512sum n | cut -c 1-32
base64 n | head -n 1
base64 n | base64 -d | cmp - n && echo base64 ok
od -c c2 | head -n 2
hexdump -C c2
strings /bin/busybox | grep -c BusyBox > /dev/null && echo strings ok
factor 360 97
expr 6 \* 7
expr length hello
echo '2 3 + p' | dc

section archives
tar cf t.tar a
tar tf t.tar | sort
mkdir x1
tar xf t.tar -C x1
diff -r a x1/a && echo tar ok
tar czf t.tgz a
mkdir x2
tar xzf t.tgz -C x2
diff -r a x2/a && echo tgz ok
gzip -c n | gunzip -c | cmp - n && echo gzip ok
bzip2 -c n | bunzip2 -c | cmp - n && echo bzip2 ok
find a | cpio -o -H newc 2>/dev/null > t.cpio
mkdir x3
(cd x3 && cpio -id < ../t.cpio 2>/dev/null)
diff -r a x3/a && echo cpio ok
dd if=/dev/zero of=z bs=1k count=64 2>/dev/null
wc -c < z
dd if=n of=mid bs=1 skip=3 count=4 2>/dev/null
cat mid
tr '\0' x < z | md5sum

section processes
sh -c 'exit 7'
echo $?
sh -c 'kill -TERM $$'
echo $?
(sleep 5 & echo $! > pid; wait)  &
sleep 0.2
kill "$(cat pid)" && echo killed
wait
timeout 1 sleep 10
echo timeout $?
yes | head -n 1000 | wc -l
mkfifo fifo
(echo through the fifo > fifo) &
cat fifo
wait
i=0
while [ $i -lt 50 ]; do
    true
    /bin/busybox true
    i=$((i + 1))
done
echo $i
x=$(echo a; echo b | (cat; echo c))
echo $x
trap 'echo trapped' USR1
kill -USR1 $$
trap - USR1
env -i A=1 /bin/busybox env
echo 'cat <<E' > here.sh
echo 'here $((1 + 2))' >> here.sh
echo 'E' >> here.sh
sh here.sh
f() { echo "f $# $*"; return 3; }
f 1 2 3
echo $?
set -- a 'b c' d
for w; do echo "<$w>"; done
case abc in a*) echo starts with a ;; esac
echo "${W#"${W%????}"}" | wc -c

section shell
i=10
while [ $i -gt 0 ]; do i=$((i - 3)); [ $i -lt 5 ] && break; done
echo $i $((i << 4)) $((i % 3)) $((0x10 + 010))
fib() { if [ "$1" -lt 2 ]; then echo "$1"; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi; }
fib 9
x=path/to/file.tar.gz
echo "${x##*/}" "${x%.*}" "${x%%.*}" "${x#*/}" "${#x}" "${none:-default}" "${x:+set}"
IFS=: read -r p q r <<END
1:2:3:4
END
echo "$p-$q-$r"
for d in a/*; do test -d "$d" && echo "dir $d" || echo "file $d"; done
(cd a && pwd | sed "s,$W,W,")
set -e
(false) || echo 'guarded'
set +e
{ echo 1; echo 2 >&2; } 2> err | cat
cat err
exec 3> three
echo three >&3
exec 3>&-
exec 4< three
read -r line <&4
echo "$line"
exec 4<&-
echo append >> three
wc -l < three
: > three
test -s three || echo empty
[ -f three ] && [ ! -x three ] && [ -r three ] && echo plain
until [ -e flag ]; do touch flag; done
echo "done $?"
(trap 'echo bye' EXIT; exit 4)
echo $?
eval 'y=$((6 * 7))'
echo "$y"
unset y
echo "${y-unset}"
printf '%5d|%-5s|%x|%o\n' 42 ab 255 8
date -u -d @0 '+%Y-%m-%d %H:%M:%S'
cd /
rm -rf "$W"
test -e "$W" || echo cleaned
