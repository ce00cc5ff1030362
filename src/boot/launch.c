/* The first fiber: everything is there, the process is locked down, and the control server takes over. */
#include "boot/boot.h"
#include "control/protocol.h"
#include "control/sandbox.h"
#include "platform/platform.h"
#include <unistd.h>

void boot_launch(void *unused)
{
    (void)unused;
    int err = platform_start();
    if (err)
        boot_fail("cannot start the pool of address spaces", err);
    sandbox.ends_with_boot = boot.request.ends_with_boot;
    sandbox.host_write = boot.request.host_write;
    sandbox.owner = boot.request.owner;
    if (boot.request.id)
        boot_answer(boot.wire.fd, boot.request.id, 0, NULL);
    server_run(&boot.wire, boot.listener);
}
