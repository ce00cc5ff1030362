/*
 * argv and envp on their way from a guest into the kernel, for execve(2): bounded in number and
 * size before anything is allocated for them.
 */
#pragma once
#include "base/base.h"

#define ARG_STRING_MAX (32 * PAGE_SIZE) /* MAX_ARG_STRLEN, NUL included */

/* What one execve may still copy: a quarter of the stack limit, and never more than 6 MiB. */
struct args_budget {
    size_t left;
};
void args_budget_init(struct args_budget *b);

/*
 * A NULL-terminated vector of strings (vec 0: an empty one). *ret and all its strings are one
 * allocation: free() it. -E2BIG, -EFAULT, -ENOMEM. The budget covers strings and pointers of both
 * vectors.
 */
NODISCARD int args_from_user(uaddr_t vec, struct args_budget *b, char ***ret);
