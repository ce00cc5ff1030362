/* The options that `create` and `run` share. */
#pragma once
#include "runtime/container.h"

/* `run` has --detach and --keep besides; they go to *ret_run. Ends the program on wrong usage. */
struct run_options {
    bool detach, keep;
};
void container_options_parse(int argc, char **argv, bool run, struct container_options *ret,
                             struct run_options *ret_run);
