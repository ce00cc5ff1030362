/*
 * --strace: every call of every task, one line each, with decoded arguments and result, in
 * strace(1)'s style, to the log. The decoding is driven by the signature column of syscalls.tbl.
 *
 * A line is written when its call returns; calls that may never return (a result letter n, and
 * execve) are announced before. What the guest passes in is read before the call, what the kernel
 * gives back after it: reads of the trace's own, which can differ from what the handler read if
 * another thread of the guest changes it.
 */
#pragma once
#include "base/strbuf.h"
#include "syscalls/dispatch.h"

/* Runs fn (NULL: the unknown-call path) between the two halves of its line; returns its result. */
int64_t strace_call(uint64_t nr, const struct syscall_entry *entry, const uint64_t *args,
                    syscall_fn *fn);

/* ---- strace_text.c: values as text, no guest involved ---- */

enum strace_flags { STRACE_OPEN, STRACE_PROT, STRACE_MAP };
void strace_put_flags(struct strbuf *out, enum strace_flags kind, uint64_t value);
void strace_put_string(struct strbuf *out, const char *s, size_t n,
                       bool cut);                             /* quoted; cut: "..." follows */
void strace_put_mode(struct strbuf *out, uint32_t mode);      /* 0644 */
void strace_put_file_mode(struct strbuf *out, uint32_t mode); /* S_IFREG|0644 */
void strace_put_signal(struct strbuf *out, int signo);
void strace_put_whence(struct strbuf *out, int whence);
void strace_put_result(struct strbuf *out, char letter, int64_t result);
