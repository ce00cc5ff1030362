/*
 * The first fiber: starts the first process, then serves the control channel.
 */
#include "boot/boot.h"
#include "base/log.h"
#include "control/channel.h"
#include "control/protocol.h"
#include "platform/platform.h"
#include "sched/fiber.h"
#include <unistd.h>

static void forward_signal(void *arg, int signo, bool foreground)
{
    (void)arg;
    log_info("signal %d from the command line, foreground %d", signo, foreground);
}

/* The runtime is gone, and with it the reason to be. */
static void runtime_gone(void *arg)
{
    (void)arg;
    _exit(EXIT_PICKET);
}

void boot_launch(void *unused)
{
    (void)unused;
    int err = platform_start();
    if (err)
        boot_fail("start the pool of address spaces", err);
    channel_send_error(boot.control, -ENOSYS, EXIT_PICKET, "locked down, but no kernel to run it on yet");
    const struct channel_handler handler = {.signal = forward_signal, .closed = runtime_gone};
    channel_serve(boot.control, &handler);
}
