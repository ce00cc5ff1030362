# needs: busybox-static python3
# Containers of a pod share one sandbox: its network; by CRI's annotations, and by a network namespace's path.
. "$TOP/tests/runtime/oci.sh.inc"

bundle pod sleep 1000
edit pod "c['annotations']={'io.kubernetes.cri.container-type': 'sandbox', 'io.kubernetes.cri.sandbox-id': 'pod'}"
status 0 picket run --detach --bundle pod --pid-file pid pod </dev/null
pid=$(cat pid)

bundle server sh -c 'echo served | nc -l -p 8080'
edit server "c['annotations']={'io.kubernetes.cri.container-type': 'container', 'io.kubernetes.cri.sandbox-id': 'pod'}
for n in c['linux']['namespaces']:
    if n['type'] in ('network', 'ipc', 'uts'):
        n['path'] = '/proc/$pid/ns/' + ('net' if n['type'] == 'network' else n['type'])"
status 0 picket run --detach --bundle server server </dev/null
sleep 0.3
bundle client sh -c 'nc 127.0.0.1 8080; hostname'
edit client "c['process']['args']=['sh','-c','nc 127.0.0.1 8080; pidof sleep | wc -w']
for n in c['linux']['namespaces']:
    if n['type'] == 'network':
        n['path'] = '/proc/$pid/ns/net'"
same "localhost is shared, processes are not" "served 0" "$(picket run --bundle client client </dev/null | tr '\n' ' ' | sed 's/ $//')"
until_status server stopped
same "the pod goes on" "running" "$(field pod status)"
status 0 picket delete server
status 0 picket delete --force pod
same "nothing is left" "" "$(ls "$state")"
finish
