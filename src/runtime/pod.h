/*
 * Which containers belong into one sandbox: those of a pod. Their engines say so in two ways: by
 * annotations (CRI: containerd and CRI-O name the pod's sandbox), or by giving a container the
 * network namespace of another one by path (podman, docker). One sandbox has one network stack, so
 * what shares a network namespace must share the sandbox.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include "runtime/spec.h"
#include "runtime/state.h"

struct pod {
    char *sandbox;              /* the id whose sandbox to join; NULL: a new one */
    char *share[SPEC_NS_COUNT]; /* ids of containers in it whose namespaces are shared */
};

NODISCARD int pod_find(const struct spec *spec, struct pod *ret, struct error *err);
void pod_free(struct pod *pod);
