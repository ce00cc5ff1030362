/*
 * --strace: every call of every task, one line each, with decoded arguments and result, in strace(1)'s style, to the
 * debug log. The decoding is driven by the signature column of syscalls.tbl.
 */
#pragma once
#include "syscalls/dispatch.h"

/* Runs fn (NULL: the unknown-call path) between the two halves of its line; returns its result. */
int64_t strace_call(uint64_t nr, const struct syscall_entry *entry, const uint64_t *args, syscall_fn *fn);
