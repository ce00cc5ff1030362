/* Filling and printing errors. */
#include "runtime/error.h"
#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *err, int exit_status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    err->exit_status = exit_status;
    return -1;
}

int error_report(const struct error *err)
{
    fprintf(stderr, "picket: %s\n", err->message);
    return err->exit_status;
}
