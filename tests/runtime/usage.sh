# Wrong arguments, missing commands and roots: a clear error and the conventional status.
. "$TOP/tests/runtime/lib.sh.inc"

status 125 "$PICKET"
status 125 "$PICKET" nonsense
status 125 "$PICKET" --nonsense
status 0 "$PICKET" --version
status 0 "$PICKET" help
status 0 "$PICKET" help do
status 0 "$PICKET" do --help
status 125 "$PICKET" help nonsense
status 0 "$PICKET" doctor
status 125 "$PICKET" do
status 125 "$PICKET" do --
status 125 "$PICKET" do --nonsense true
status 125 "$PICKET" do --root /no/such/dir true
status 125 "$PICKET" do --root /etc/passwd true
status 125 "$PICKET" do --volume /tmp true
status 125 "$PICKET" do --volume /tmp:relative true
status 125 "$PICKET" do --volume /no/such:/mnt true
status 125 "$PICKET" do --volume /tmp:/no/such/place true
status 125 "$PICKET" do --volume /tmp:/mnt:sideways true
status 125 "$PICKET" do --env NOVALUE true
status 125 "$PICKET" do --cwd relative true
status 125 "$PICKET" do --cwd /no/such/dir true
status 125 "$PICKET" do --user nobody-of-that-name true
status 125 "$PICKET" do --debug-log /no/such/dir/log true
status 127 "$PICKET" do -- no-such-command
status 127 "$PICKET" do -- /no/such/command
status 126 "$PICKET" do -- /etc/passwd
status 126 "$PICKET" do -- /etc
status 0 "$PICKET" do true
status 0 "$PICKET" do -- true
status 1 "$PICKET" do false
status 42 "$PICKET" do -- sh -c 'exit 42'
# Options after the command are the command's own.
same "options after the command" "--root x" "$("$PICKET" do echo --root x)"
same "options after --" "--root x" "$("$PICKET" do -- echo --root x)"
# Errors name what is wrong.
"$PICKET" do --root /no/such/dir true 2>&1 | grep -q "/no/such/dir.*No such file" || fail "missing root is not named"
"$PICKET" do -- no-such-command 2>&1 | grep -q "no-such-command" || fail "missing command is not named"
finish
