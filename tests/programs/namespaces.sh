#!/bin/sh
# needs: util-linux bubblewrap
# Namespaces as util-linux and bubblewrap use them, with and without privileges outside.
unshare -Ur sh -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/setgroups'
unshare -Urmpf --mount-proc sh -c 'echo $$; ls -d /proc/1; mount -t tmpfs none /mnt && touch /mnt/x && ls /mnt'
unshare -Uru sh -c 'hostname inside; hostname'
unshare -Urni sh -c 'ipcs -m | grep -c 0x; ls /sys/class/net 2>/dev/null | wc -l >/dev/null; echo done'
unshare -m sh -c 'mount --make-rprivate /; mount -t tmpfs a /mnt; mkdir /mnt/b; mount --bind /mnt/b /mnt/b; mount -o remount,bind,ro /mnt/b
    touch /mnt/b/x 2>/dev/null || echo read-only; umount /mnt/b; touch /mnt/b/x && echo writable; umount /mnt'
unshare -m --propagation shared sh -c 'mount -t tmpfs a /mnt; mkdir /mnt/d
    unshare -m --propagation slave sh -c "mount -t tmpfs in /mnt/d; touch /mnt/d/in"; ls -A /mnt/d; umount /mnt'
unshare -u sh -c 'hostname held; exec sleep 30' &
pid=$!
for i in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(nsenter -t $pid -u hostname)" = held ] && break
    sleep 0.1
done
nsenter -t $pid -u hostname
kill $pid
bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --unshare-all --hostname box sh -c 'hostname; ls /dev; touch /tmp/x && ls /tmp; touch /x 2>/dev/null || echo read-only; echo $$'
setpriv --reuid 1000 --regid 1000 --clear-groups bwrap --ro-bind / / --unshare-user --uid 0 --gid 0 --cap-drop ALL sh -c 'id -u; grep CapEff /proc/self/status'
mkdir -p lower upper work merged
echo low > lower/f
unshare -m sh -c 'mount --make-rprivate /; mount -t tmpfs o upper; mkdir upper/u upper/w
    mount -t overlay o merged -o lowerdir=lower,upperdir=upper/u,workdir=upper/w
    cat merged/f; echo high > merged/f; cat merged/f lower/f upper/u/f; rm merged/f; ls merged; ls upper/u'
