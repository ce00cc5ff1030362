/* Comparing processes and moving bytes between them: kcmp(2), process_vm_readv(2), process_vm_writev(2). */
#pragma once
#include "base/base.h"

struct process_vm_args {
    int32_t pid;
    uaddr_t local, remote; /* arrays of struct iovec */
    uint64_t local_count, remote_count, flags;
    bool write; /* into the other process */
};

int64_t do_process_vm(const struct process_vm_args *args); /* bytes moved */
int64_t do_kcmp(int32_t pid1, int32_t pid2, int type, uint64_t index1, uint64_t index2);
