/*
 * The command line's log, as engines ask for it: --log FILE, --log-format text|json, --debug.
 *
 * Warnings and errors go to the file; without one, to standard error. An error is also always told
 * on standard error (error_report()), since that is what a person sees. A JSON line has "level",
 * "msg" and "time", which is what containerd's and docker's shims and podman look for.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"

/* path NULL: standard error. */
NODISCARD int logfile_open(const char *path, bool json, bool debug, struct error *err);
void logfile_debug(const char *fmt, ...) PRINTF(1, 2);
void logfile_warning(const char *fmt, ...) PRINTF(1, 2);
void logfile_error(const char *fmt, ...) PRINTF(1, 2); /* only to the file */
/* The file's descriptor, or -1. */
int logfile_fd(void);
/* The same file by another descriptor; -1: none. */
void logfile_set_fd(int fd);
