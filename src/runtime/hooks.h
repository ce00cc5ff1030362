/*
 * Hooks: programs of the host that an engine wants run at points of a container's life, each with
 * the container's state as JSON on its standard input.
 *
 * Where they run: prestart, createRuntime, poststart and poststop in the caller's namespaces;
 * createContainer in the agent, whose mount namespace is the container's before its root is
 * pivoted. startContainer runs inside the sandbox (its program is the container's), so it is not
 * for here.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include "runtime/spec.h"

/* Runs them in order; the first that fails ends it, with an error naming it. Each is killed when
 * its time is over. */
NODISCARD int hooks_run(const struct spec *spec, enum spec_hook_kind kind, const json_t *state,
                        struct error *err);
/* The same, but failures are warnings (poststart, poststop). */
void hooks_run_tolerant(const struct spec *spec, enum spec_hook_kind kind, const json_t *state);
