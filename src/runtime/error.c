/* Filling and printing errors. */
#include "runtime/error.h"
#include "runtime/logfile.h"
#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *err, int exit_status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    err->exit_status = exit_status;
    err->code = 0;
    return -1;
}

int error_report(const struct error *err)
{
    logfile_error("%s", err->message);
    fprintf(stderr, "picket: %s\n", err->message);
    return err->exit_status;
}
