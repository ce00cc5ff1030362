/* What every handler uses: errors, descriptors, the container that is meant. */
#include "control/sandbox.h"
#include "base/cleanup.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int request_fail(struct request *r, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->message, sizeof r->message, fmt, ap);
    va_end(ap);
    r->code = code;
    return code;
}

int request_params(struct request *r)
{
    if (params_finish(&r->params) == 0)
        return 0;
    return request_fail(r, PROTOCOL_INVALID_PARAMS, "%s: %s", r->method, r->params.problem);
}

int request_take_fd(struct request *r, uint32_t index)
{
    if (index >= r->fd_count)
        return -1;
    return TAKE_FD(r->fds[index]);
}

static int read_unit(struct request *r, struct unit **ret)
{
    CLEANUP_FREE char *id = NULL;
    params_string(&r->params, "container_id", &id);
    if (params_ok(&r->params) && !id)
        params_bad(&r->params, "container_id", "is missing");
    int err = request_params(r);
    if (err)
        return err;
    *ret = unit_find(id);
    return *ret ? 0 : request_fail(r, -ENOENT, "there is no container '%.200s'", id);
}

int request_unit(struct request *r, struct unit **ret)
{
    return read_unit(r, ret);
}
