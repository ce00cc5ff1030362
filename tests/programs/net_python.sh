#!/bin/sh
# Python's own tests of sockets, polling and TLS, with its client and server modules. test_asyncio passes as well, but takes
# minutes.
# needs: libpython3.11-testsuite
# timeout: 300
# alone
# skip-native-diff
cd "$(mktemp -d)" || exit 1
/usr/bin/python3 -m test -j2 -u network test_socket test_select test_selectors test_poll test_epoll test_asyncore \
    test_socketserver test_httpservers test_ssl >out 2>&1
status=$?
grep -aE '^(ERROR|FAIL):|^[0-9]+ tests? failed|result: |^All ' out
exit $status
