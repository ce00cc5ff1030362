/* Credentials across execve(2): set-user-ID files and the capability rules of capabilities(7). */
#pragma once
#include "kernel/cred.h"

struct image;

struct exec_cred {
    struct cred *cred; /* a new reference, for task_set_cred() */
    bool changed;      /* other than before in a way that forbids reuse of the host process */
    bool secure;       /* AT_SECURE: the image runs with more rights than its caller */
};

NODISCARD int exec_cred_prepare(const struct cred *old, struct image *image, struct exec_cred *ret);
