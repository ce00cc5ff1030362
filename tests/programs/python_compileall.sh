#!/bin/sh
# needs: python3
# timeout: 240
# Compiles a good part of Python's standard library into a fresh directory and runs from it.
W=$(mktemp -d)
cp -r /usr/lib/python3*/json /usr/lib/python3*/email /usr/lib/python3*/asyncio /usr/lib/python3*/unittest \
    /usr/lib/python3*/encodings "$W"
cd "$W" || exit 1
find . -name __pycache__ -prune -exec rm -r {} +
/usr/bin/python3 -m compileall -q -j 2 . && echo compiled
find . -name '*.pyc' | sort | wc -l
/usr/bin/python3 -c 'import json; print(json.dumps({"a": [1, 2.5, None]}), json.__file__.startswith("/"))'
cd / && rm -rf "$W"
