/* From the spec to the control interface's parameters (docs/control.md). Each returns NULL, and
 * fills err, on failure. */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include "runtime/spec.h"
#include "runtime/trees.h"

/* Parameters of Sandbox.Boot. */
json_t *request_boot(const struct spec *spec, struct error *err);
/* Of CreateContainer. `share` says which namespaces are another container's: NULL, or its id. */
json_t *request_create(const struct spec *spec, const char *id,
                       const char *const share[SPEC_NS_COUNT], struct trees *trees,
                       struct error *err);
/* Of StartContainer, and of Proc.Exec. The process gets descriptors 0 to fd_count - 1. */
json_t *request_process(const struct spec_process *p, const char *id, unsigned fd_count,
                        struct error *err);
/* The container's limits as files of its cgroup, for CreateContainer and update. */
json_t *request_cgroup_files(const struct spec_resources *r);
