#!/bin/sh
# timeout: 120
# The root's package database and the policy of the package manager.
dpkg -l | tail -n +6 | awk '{ print $1, $2, $3 }' | sha256sum
dpkg -s base-files | grep -c .
dpkg -L coreutils | wc -l
dpkg -S /bin/ls
dpkg --print-architecture
apt-cache policy 2>&1 | grep -c .
apt-cache policy dpkg
cat /etc/debian_version
