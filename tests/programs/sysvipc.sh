#!/bin/sh
# needs: util-linux
# ipcmk, ipcs and ipcrm.
shm=$(ipcmk -M 10000 -p 0640 | sed 's/.*: //')
sem=$(ipcmk -S 3 | sed 's/.*: //')
msg=$(ipcmk -Q | sed 's/.*: //')
ipcs -m -i "$shm" | grep -vE 'shmid|_time|pid'
ipcs -s -i "$sem" | grep -vE 'semid|otime|ctime'
ipcs -q -i "$msg" | grep -vE 'msqid|time'
ipcs -l
ipcs -m | awk -v id="$shm" '$2 == id { print $3, $4, $5, $6 }'
ipcs -s | awk -v id="$sem" '$2 == id { print $3, $4, $5 }'
ipcs -q | awk -v id="$msg" '$2 == id { print $3, $4, $5, $6 }'
ipcrm -m "$shm" -s "$sem" -q "$msg" && ipcs -m | awk -v id="$shm" '$2 == id'
ipcrm -m "$shm" 2>&1 | sed "s, (.*,,"
cat /proc/sys/kernel/shmmax /proc/sys/kernel/sem /proc/sys/kernel/msgmnb
