/*
 * Options before the verb, and what all verbs' option parsers share.
 *
 * The spellings are those of runc and crun: "--flag=v", "--flag v", "-flag v", "-flag=v", and for
 * switches "--flag" and
 * "--flag=true|false". Every verb is an argp parser called through options_parse().
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include <argp.h>

struct global_options {
    const char *root, *log, *log_format;
    bool debug, systemd_cgroup;
    bool strace;           /* every sandbox logs its calls */
    const char *debug_log; /* where the kernels of sandboxes log; "%ID%" stands for the id */
};

extern struct global_options global;

/* Parses what stands before the verb. Returns the verb's index in argv (argc if there is none), or
 * -1 with *err. */
int options_global(int argc, char **argv, struct error *err);
/* argp_parse() with our rules; argv[0] becomes "picket VERB". In-order: the first non-option ends
 * the options when `in_order` is set. */
void options_parse(const struct argp *argp, int argc, char **argv, bool in_order, void *input);
/* The value of a switch: "--flag" is true, "--flag=false" is not. Ends the program on anything
 * else. */
bool options_switch(const char *arg, struct argp_state *state);
/* For parsers: takes the one positional argument, the container's id. */
error_t options_id(int key, char *arg, struct argp_state *state, const char **ret_id);

#define OPTION_SWITCH OPTION_ARG_OPTIONAL /* give it the argument name "BOOL" */
#define SWITCH(name, key, doc)                         \
    {                                                  \
        name, key, "BOOL", OPTION_ARG_OPTIONAL, doc, 0 \
    }
#define SWITCH_HIDDEN(name, key)                                        \
    {                                                                   \
        name, key, "BOOL", OPTION_ARG_OPTIONAL | OPTION_HIDDEN, NULL, 0 \
    }
