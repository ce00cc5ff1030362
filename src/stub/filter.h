/* The seccomp program of stub processes; see filter.c for what it lets through and why that is
 * harmless. */
#pragma once
#include <linux/filter.h>
#include <stddef.h>

#define STUB_FILTER_MAX 512

/* Builds the program for stubs with `event_fds` event descriptors; its length in instructions. */
size_t stub_filter_build(struct sock_filter program[static STUB_FILTER_MAX], unsigned event_fds);
