/* Host calls that may take long. */
#include "sched/fiber.h"
#include "sched/private.h"

void host_call_begin(void)
{
}

void host_call_end(void)
{
}
