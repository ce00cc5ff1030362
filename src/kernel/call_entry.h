/*
 * What surrounds the system calls of a task that has a filter or a tracer. run.c comes here when
 * task->call_work says so; every other task pays one look at that word.
 */
#pragma once
#include "base/base.h"

struct task;
struct call;
struct event;

/* task->call_work: why calls take the long way. */
#define CALL_WORK_SECCOMP 1u
#define CALL_WORK_DISPATCH 4u
#define CALL_WORK_TRACED 2u /* ptrace: entry and exit stops, single steps */

/* sig.lock held: filters or tracing of t have changed. Its stub stops (or starts again) answering
 * calls by itself. */
void call_work_update(struct task *t);

/* The call of `event`, through everything: its result. Own task. */
int64_t call_with_work(struct task *t, const struct event *event);
/* Of a call that was not traced when it began: the result, after the tracer has seen its exit. */
int64_t call_exit_traced(struct task *t, int64_t result);
/* A futex wait made on the host was broken up: what Linux's futex answers to a signal. */
int64_t interrupted_futex(const uint64_t *args);
/* What a tracer may have changed: number and arguments as the registers have them. */
void call_reload(struct task *t, struct call *c);
