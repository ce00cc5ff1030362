/*
 * Changing eight bytes of the guest's code.
 *
 * While other threads may be executing them, the first byte becomes a breakpoint first and the
 * right one last, with a barrier that serializes every other thread's processor after each step. A
 * thread that meets the breakpoint retries until it has gone (signal.c). The bytes must not cross a
 * cache line then.
 */
#include "stub/stub.h"
#include <asm/unistd.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <linux/mman.h>

#define PAGE 4096UL

void stub_prepare_patching(void)
{
    host3(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

static long serialize_others(void)
{
    return host3(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

static bool store(uint64_t site, uint64_t code)
{
    return stub_store(site, code) == 0;
}

static long replace_with_others(uint64_t site, uint64_t code)
{
    uint64_t busy = site;

    if ((site & 63) > 56 || stub_copy((void *)PATCH_BUSY, &busy, sizeof(busy)) != sizeof(busy))
        return -EINVAL;
    if (!store(site, (code & ~0xffUL) | 0xcc))
        return -EFAULT;
    serialize_others();
    store(site, code);
    serialize_others();
    busy = 0;
    stub_copy((void *)PATCH_BUSY, &busy, sizeof(busy));
    return 0;
}

static long replace(const struct stub_order *o)
{
    uint64_t site = o->args[0], now = 0;

    if (stub_copy(&now, (const void *)site, sizeof(now)) != sizeof(now) || now != o->args[1])
        return -EINVAL;
    if (o->flags & ORDER_OTHERS_RUN)
        return replace_with_others(site, o->args[2]);
    return store(site, o->args[2]) ? 0 : -EFAULT;
}

long stub_patch(const struct stub_order *o)
{
    uint64_t start = o->args[0] & ~(PAGE - 1);
    uint64_t size = ((o->args[0] + 7) & ~(PAGE - 1)) + PAGE - start;
    long ret;

    if (stub_copy((void *)o->args[3], &o->args[4], sizeof(o->args[4])) != sizeof(o->args[4]))
        return -EFAULT;
    ret = host3(__NR_mprotect, start, size, PROT_READ | PROT_WRITE | PROT_EXEC);
    if (ret < 0)
        return ret;
    ret = replace(o);
    host3(__NR_mprotect, start, size, PROT_READ | PROT_EXEC);
    return ret;
}
