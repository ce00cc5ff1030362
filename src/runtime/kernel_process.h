/*
 * Starting the kernel process of a sandbox: namespaces of its own, its descriptors in place, then
 * exec.
 *
 *     kernel_process_start(listener, log, broker, &k, &err)    k.control is the boot connection
 * (docs/control.md) client_init(&c, k.control); client_call(&c, METHOD_BOOT, ...)
 *
 * The kernel process gets SIGKILL when the thread that started it ends. Trees come later, over the
 * connection.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"

struct kernel_process {
    pid_t pid;
    int control;
};

/* listener, log and broker may be -1: none. All stay the caller's. */
NODISCARD int kernel_process_start(int listener, int log, int broker, struct kernel_process *ret,
                                   struct error *err);
