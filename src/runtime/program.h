/*
 * The program that a container shall run, looked at from the host before it is started: engines
 * want to be told at `create`, in words they know, that it is not there (their 127) or not
 * executable (126).
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include "runtime/spec.h"

/* Call with the container's root as "/". A program that may lie on a file system of the sandbox's
 * own passes. */
NODISCARD int program_check(const struct spec *spec, struct error *err);
/* Shows the process's arguments as ours, for ps(1) on the host. */
void program_set_title(const struct spec_process *p);
/* Where our own arguments lie; once, from main(). */
void program_init(int argc, char **argv);
