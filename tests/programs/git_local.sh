#!/bin/sh
# needs: git
# timeout: 120
# git init, add, commit, branch, merge, log, gc, clone, fsck, stash, all local and with fixed dates.
W=$(mktemp -d)
cd "$W" || exit 1
export HOME=$W GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1
git init -q -b main r
cd r || exit 1
for i in 1 2 3 4 5 6 7 8; do
    mkdir -p d$i
    seq $i 100 > d$i/f
    echo $i > top
    git add -A
    git commit -qm "commit $i"
done
git log --format='%H %s'
git checkout -q -b side HEAD~3
echo side > side
git add side
git commit -qm side
git checkout -q main
git merge -q -m merged side
git log --oneline --graph | cat
git diff --stat HEAD~5 | cat
git show --stat HEAD~2 | cat
echo change >> top
git status --porcelain
git stash -q
git status --porcelain
git stash pop -q
git diff | cat
git checkout -q top
git tag -m tag v1
git gc -q --prune=now
git fsck --strict 2>&1
git count-objects -v | grep -v size
cd ..
git clone -q r c
git -C c log -1 --format=%H
git clone -q --bare r b.git
git -C c remote set-url origin "$W/b.git"
(cd c && echo new > new && git add new && git commit -qm pushed && git push -q origin main)
git -C b.git log -1 --format=%s main
git -C c grep -c 50 | cat
git -C c blame -s top | cat
git -C c archive HEAD | tar tf - | sort | head -5
git -C c rev-list --objects --all | sort | sha256sum
cd / && rm -rf "$W"
