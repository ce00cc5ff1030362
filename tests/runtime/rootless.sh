# As an ordinary user: the same, with the user's own id.
. "$TOP/tests/runtime/lib.sh.inc"
[ "$(id -u)" = 0 ] || exit 0
user=65534
chmod 755 . && mkdir -m 777 vol
as_user() { setpriv --reuid $user --regid $user --clear-groups --inh-caps=-all "$@"; }
# The build directory must be reachable for that user.
as_user test -x "$PICKET" || { mkdir -m 755 bin; cp "$BUILD/picket" "$BUILD/picket-kernel" bin/; PICKET=$PWD/bin/picket; }
as_user test -x "$PICKET" || exit 0

same "id" "$user:$user" "$(as_user "$PICKET" do -- sh -c 'echo $(id -u):$(id -g)')"
status 0 as_user "$PICKET" do true
status 2 as_user "$PICKET" do -- sh -c 'echo x > /etc/picket-test'
status 0 as_user "$PICKET" do -- sh -c 'echo x > /tmp/picket-test'
status 1 as_user "$PICKET" do -- cat /etc/shadow
same "owner of the host's files" "0" "$(as_user "$PICKET" do -- stat -c %u /etc/passwd)"
as_user "$PICKET" do --volume "$PWD/vol:/mnt" -- sh -c 'echo mine > /mnt/f'
same "volume" "mine $user" "$(cat vol/f) $(stat -c %u vol/f)"
status 0 as_user "$PICKET" doctor
finish
