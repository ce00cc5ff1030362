#!/bin/sh
# Python's own tests of sockets, event loops and TLS, with its client and server modules.
# needs: libpython3.11-testsuite
# timeout: 400
# alone
# skip-native-diff
cd "$(mktemp -d)" || exit 1
python=/usr/bin/python3
$python -m test -j2 test_socket test_select test_selectors test_poll test_epoll test_asyncore test_asynchat \
    test_ssl test_httpservers test_urllib2_localnet test_ftplib test_xmlrpc test_asyncio 2>&1 | tail -8
$python -m test -u network test_socketserver 2>&1 | tail -3
$python -m test test_socket >out 2>&1 || { grep -aE '^(ERROR|FAIL)' out; exit 1; }
