#!/bin/sh
# nginx with two workers: curl, wrk and ab as clients; IPv4 and IPv6, sendfile, reuseport, deferred accept.
# needs: nginx-light wrk apache2-utils curl
# timeout: 120
set -u
dir=$(mktemp -d)
cd "$dir" || exit 1
chmod 755 "$dir"
mkdir html
seq 1 200000 >html/big
echo hello >html/index.html
cat >conf <<E
daemon on; pid $dir/pid; error_log $dir/err; worker_processes 2; user root;
events { worker_connections 512; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_timeout 30;
  client_body_temp_path $dir/b; proxy_temp_path $dir/p; fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u;
  scgi_temp_path $dir/s;
  server { listen 127.0.0.1:18088 deferred reuseport; root $dir/html; }
  server { listen [::1]:18089; root $dir/html; }
  server { listen 127.0.0.1:18090; location / { proxy_pass http://127.0.0.1:18088; } }
}
E
nginx -c "$dir/conf"
echo "started: $?"
curl -s http://127.0.0.1:18088/
curl -s http://127.0.0.1:18088/big | cmp - html/big && echo same
curl -s -r 100-119 http://127.0.0.1:18088/big | od -c
curl -gs 'http://[::1]:18089/'
curl -s http://127.0.0.1:18090/big | cmp - html/big && echo proxied
curl -sI http://127.0.0.1:18088/nope | head -1
curl -s http://127.0.0.1:18091/; echo "refused: $?"
wrk -t1 -c20 -d1 http://127.0.0.1:18088/ | grep -cE 'Requests/sec'
wrk -t1 -c20 -d1 http://127.0.0.1:18088/ | grep -cE 'Socket errors|Non-2xx'
ab -q -n 300 -c 5 http://127.0.0.1:18088/index.html 2>&1 | grep -E 'Failed|Complete'
kill "$(cat pid)"
while [ -e pid ]; do sleep 0.05; done
echo stopped
rm -rf "$dir"
