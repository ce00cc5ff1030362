/* picket create: everything up to the point where only `start` is missing. */
#include "runtime/command.h"
#include "runtime/container_options.h"
#include "runtime/options.h"

int cmd_create(int argc, char **argv)
{
    struct container_options o = {0};
    struct error err;
    pid_t agent;
    container_options_parse(argc, argv, false, &o, NULL);
    return container_create(&o, &agent, &err) < 0 ? error_report(&err) : 0;
}
