#!/bin/sh
# needs: coreutils findutils grep sed gawk tar gzip xz-utils diffutils
# timeout: 240
# The classic tools over a real tree.
W=$(mktemp -d)
cd "$W" || exit 1
T=/usr/share/perl
[ -d "$T" ] || T=/usr/share/doc
export LC_ALL=C
find $T -type f | sort > files
wc -l < files
find $T -type d | sort | sha256sum
find $T -name '*.p[lm]' -size +8k | sort | head -20
find $T -type l -printf '%p %l\n' | sort | head
find $T -type f -printf '%s %m %u %g %n %T@ %p\n' | sort | sha256sum
ls -lR --time-style=+%s $T | sha256sum
du -s --apparent-size $T
grep -rc sub $T | sort | sha256sum
grep -rlE 'use (strict|warnings)' $T | sort | sha256sum
xargs cat < files | wc
xargs sha256sum < files | sha256sum
xargs sed -n 's/^sub \([a-z_]*\).*/\1/p' < files | sort | uniq -c | sort -rn | head -20
xargs gawk '/^package/ { n[$2]++ } END { for (p in n) print n[p], p }' < files | sort | tail -5
tar cf t.tar -C $T . 2>/dev/null
tar tf t.tar | sort | sha256sum
mkdir x
tar xf t.tar -C x
diff -r $T x && echo identical
tar czf t.tgz -C x . && gzip -dc t.tgz | tar tf - | wc -l
tar cf - -C x . | xz -0 | xz -dc | tar tf - | sort | sha256sum
cp -a x y
diff -r x y && echo copied
rm -r x
split -b 100k t.tar piece.
cat piece.* | cmp - t.tar && echo joined
rm piece.*
sort -R files | sort | cmp - files && echo sorted
shuf -n 5 files | wc -l
comm -3 files files | wc -l
join files files | wc -l
tr -cs 'A-Za-z' '\n' < files | sort | uniq -c | sort -k1,1nr -k2 | head -5
seq 10000 | factor | tail -3
dd if=t.tar of=copy bs=7777 2>/dev/null
cmp copy t.tar && echo dd
truncate -s 1G sparse
stat -c '%s %b' sparse
ln -s nowhere dangling
stat -L dangling 2>&1
readlink -f dangling | sed "s,$W,W,"
touch -r t.tar stamp && [ ! stamp -nt t.tar ] && [ ! stamp -ot t.tar ] && echo stamped
mkdir -p p/q/r && rmdir -p p/q/r && ls -d p 2>&1
id -u
printf '%s\n' a b c | tee one two | nl
timeout 0.2 sleep 5
echo $?
env -i X=1 /usr/bin/printenv
nohup true < /dev/null > nohup.log 2>&1 && echo nohup
df --output=target . > /dev/null && echo df
stat -f -c %T /proc
chmod -R u=rwX,go= y && find y -perm /077 | wc -l
cd / && rm -rf "$W"
