/*
 * The seccomp profile of a container: OCI's linux.seccomp, compiled to the classic BPF program that
 * Picket's kernel installs on the container's first process (kernel/seccomp.h, seccomp_install()).
 * It has nothing to do with the filters that keep the sandbox in (stub/filter.c, host/lockdown.c).
 *
 * Guests have one architecture, x86-64: a profile's others are accepted, and calls of theirs end
 * with ENOSYS whatever the profile says. Names of calls that this libseccomp does not know are
 * skipped, as runc does.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include <jansson.h>
#include <linux/filter.h>

/* 0: the caller frees *ret_prog. -1: err says what is wrong with the profile. */
NODISCARD int seccomp_compile(const json_t *profile, struct sock_filter **ret_prog, size_t *ret_len,
                              struct error *err);
