/* The capabilities that a file gives to who runs it: the attribute security.capability, capabilities(7). */
#pragma once
#include "base/base.h"

struct file;
struct user_namespace;

struct file_caps {
    uint64_t permitted, inheritable;
    bool effective;
};

/* 1: the file has some that count in `ns`; 0: none; -EINVAL, -EPERM: not to be run. */
NODISCARD int file_caps_read(struct file *exe, const struct user_namespace *ns, struct file_caps *ret);
