# --network=host: the host's loopback from inside and back, the policy, and the broker's end.
# timeout: 60
set -e
fail() { echo "$1"; exit 1; }
mkdir www
echo hello > www/x
python3 -c '
import http.server, os
os.chdir("www")
s = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
open("../port", "w").write(str(s.server_address[1]))
s.serve_forever()' 2>/dev/null &
server=$!
trap 'kill $server $inside 2>/dev/null || true' EXIT
for i in $(seq 50); do [ -s port ] && break; sleep 0.1; done
port=$(cat port)
url=http://127.0.0.1:$port/x

[ "$("$PICKET" do --network=host -- curl -sS -m 10 "$url")" = hello ] || fail "the host's loopback is not reached"
"$PICKET" do -- curl -s -m 5 "$url" && fail "reached without a network"
"$PICKET" do --network=host --network-deny '*' -- curl -s -m 5 "$url" && fail "reached against the policy"
"$PICKET" do --network=host --network-deny "127.0.0.0/8:$port" -- curl -s -m 5 "$url" && fail "reached against a rule"
[ "$("$PICKET" do --network=host --network-deny '*' --network-allow "127.0.0.1:$port" -- curl -sS -m 10 "$url")" = hello ] ||
    fail "not reached though allowed"
"$PICKET" do --network=host --debug-log log -- curl -sS -m 10 "$url" >/dev/null
grep -q "broker: connect to 127.0.0.1 port $port: allowed" log || fail "the decision was not logged"
# what the host shows is shown inside
host=$(ip -o -4 addr show | awk '{print $2, $4}' | sort)
[ "$("$PICKET" do --network=host -- ip -o -4 addr show | awk '{print $2, $4}' | sort)" = "$host" ] || fail "addresses differ"

# a server inside
"$PICKET" do --network=host -- python3 -c '
import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
c, _ = s.accept()
c.sendall(b"from inside: " + c.recv(100))' > inside_port &
inside=$!
for i in $(seq 100); do [ -s inside_port ] && break; sleep 0.1; done
answer=$(python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
s.sendall(b"hi")
print(s.makefile().read())' "$(cat inside_port)")
[ "$answer" = "from inside: hi" ] || fail "the server inside is not reached: $answer"
