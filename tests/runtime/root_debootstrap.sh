# A root made by debootstrap: its package tools and shells say the same in a chroot and under `picket do --root`.
# needs: debootstrap
# timeout: 900
. "$TOP/tests/runtime/lib.sh.inc"
[ "$(id -u)" = 0 ] || exit 0

site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
debootstrap --variant=minbase "$suite" root "$site" >log 2>&1 || { cat log root/debootstrap/debootstrap.log; fail "debootstrap"; }

# both NAME COMMAND: output and status must agree.
both() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 chroot root /bin/bash -c "$2" >native 2>&1
    native_status=$?
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        "$PICKET" do --root "$PWD/root" -- /bin/bash -c "$2" >sandboxed 2>&1
    same "$1: status" "$native_status" "$?"
    cmp -s native sandboxed || { diff native sandboxed | head -n 20; fail "$1: the output differs"; }
    [ -s native ] || fail "$1: no output"
}
both "dpkg -l" 'dpkg -l'
both "apt-cache policy" 'apt-cache policy; apt-cache policy bash apt'
both "dpkg --verify" 'dpkg --verify; dpkg -S /bin/bash; dpkg -L coreutils | sort | tail -n 20'
both "apt-cache search" 'apt-cache pkgnames | sort | head -n 50; apt-cache depends bash'
both "a package is removed, and comes back" \
    'cp -a /var/lib/dpkg /tmp/dpkg && dpkg --remove --force-all tzdata 2>&1 | grep -v "^(Reading"; dpkg -s tzdata | head -n 3; rm -rf /var/lib/dpkg && mv /tmp/dpkg /var/lib/dpkg && dpkg -s tzdata | head -n 3'
both "files" 'find / -xdev -not -path "/proc/*" -not -path "/dev/*" -not -path "/sys/*" -not -path "/tmp*" -type f -printf "%M %U %G %s %p\n" | sort | md5sum; cat /etc/passwd'
finish
