/* prctl(2): timing, TSC, machine checks, huge pages, the address space, speculation, W^X. */
#include "each.h"
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

int main(void)
{
    int v = -1;
    int *tid = NULL;
    IS(prctl(PR_GET_TIMING, 0, 0, 0, 0), PR_TIMING_STATISTICAL);
    IS(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL, 0, 0, 0), 0);
    FAILS(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0, 0, 0), EINVAL);
    IS(prctl(PR_GET_TSC, &v, 0, 0, 0), 0);
    IS(v, PR_TSC_ENABLE);
    IS(prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0), 0);
    FAILS(prctl(PR_SET_TSC, 3, 0, 0, 0), EINVAL);
    FAILS(prctl(PR_GET_TSC, 8, 0, 0, 0), EFAULT);
    FAILS(prctl(PR_MCE_KILL, 5, 0, 0, 0), EINVAL);
    FAILS(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 9, 0, 0), EINVAL);
    FAILS(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0), EINVAL);
    FAILS(prctl(PR_MCE_KILL_GET, 1, 0, 0, 0), EINVAL);
    IS(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0), 0);
    IS(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY);
    IS(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0), 0);
    IS(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
    FAILS(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
    FAILS(prctl(PR_SET_THP_DISABLE, 0, 0, 1, 0), EINVAL);
    IS(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
    IS(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
    IS(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
    IS(prctl(PR_GET_TID_ADDRESS, &tid, 0, 0, 0), 0);
    HOLDS(tid != NULL);
    HOLDS(prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0) >= 0);
    FAILS(prctl(PR_GET_SPECULATION_CTRL, 77, 0, 0, 0), ENODEV);
    FAILS(prctl(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0), EINVAL);
    FAILS(prctl(PR_SET_SPECULATION_CTRL, 77, 0, 0, 0), ENODEV);
    FAILS(prctl(PR_SET_SPECULATION_CTRL, 0, 0, 1, 0), EINVAL);
    FAILS(prctl(PR_SET_MM, PR_SET_MM_START_CODE, 0x400000, 1, 0), EINVAL);
    FAILS(prctl(PR_SET_MM, PR_SET_MM_START_CODE, 0x400000, 0, 1), EINVAL);
    FAILS(prctl(PR_SET_FPEMU, 0, 0, 0, 0), EINVAL);
    FAILS(prctl(PR_GET_UNALIGN, 0, 0, 0, 0), EINVAL);
    FAILS(prctl(PR_GET_ENDIAN, 0, 0, 0, 0), EINVAL);
    FAILS(prctl(PR_MPX_ENABLE_MANAGEMENT, 0, 0, 0, 0), EINVAL);
    FAILS(prctl(12345, 0, 0, 0, 0), EINVAL);
    unsigned long aux[2];
    HOLDS(prctl(0x41555856, aux, 16, 0, 0) > 16);
    FAILS(prctl(0x41555856, aux, 16, 1, 0), EINVAL);
    /* The child starts with it too. */
    FAILS(prctl(PR_SET_MDWE, 2, 0, 0, 0), EINVAL);
    FAILS(prctl(PR_SET_MDWE, 4, 0, 0, 0), EINVAL);
    IS(prctl(PR_SET_MDWE, 1, 0, 0, 0), 0);
    IS(prctl(PR_GET_MDWE, 0, 0, 0, 0), 1);
    FAILS(prctl(PR_SET_MDWE, 0, 0, 0, 0), EPERM);
    pid_t pid = fork();
    if (pid == 0) {
        IS(prctl(PR_GET_MDWE, 0, 0, 0, 0), 1);
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        FAILS(mprotect(p, 4096, PROT_READ | PROT_EXEC), EACCES);
        FAILS((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EACCES);
        p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        HOLDS(p != MAP_FAILED);
        IS(mprotect(p, 4096, PROT_READ | PROT_EXEC), 0);
        FAILS(mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), EACCES);
        _exit(each_failed());
    }
    exits_with(pid, 0);
    return each_failed();
}
