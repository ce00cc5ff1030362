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
ipcs | awk 'NF == 6 || NF == 5 { print $3, $4, $5, $6 }'
ipcrm -m "$shm" -s "$sem" -q "$msg" && ipcs | awk '/^0x/'
ipcrm -m "$shm" 2>&1 | sed "s, (.*,,"
cat /proc/sys/kernel/shmmax /proc/sys/kernel/sem /proc/sys/kernel/msgmnb
