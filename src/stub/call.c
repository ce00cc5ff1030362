/*
 * A system call of the guest: what the stub does before, or instead of, handing it to the kernel.
 */
#include "stub/stub.h"

_Noreturn void stub_call(struct stub_context *ctx)
{
    ctx->hint_len[0] = ctx->hint_len[1] = 0;
    stub_event(ctx, KIND_SYSCALL);
}
