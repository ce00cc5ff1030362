/* The kernel process's own descriptors, before lock-down. */
#include "base/cleanup.h"
#include "boot/boot.h"
#include "control/protocol.h"
#include "fs/hostfile/hostfile.h"
#include "host/mounts.h"
#include <fcntl.h>
#include <unistd.h>

/* Our own 0 and 1 must not hold the caller's files open, nor be free for others. 2 stays: it is where the last words
 * of a failing kernel go. */
static int replace_stdio(void)
{
    CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        return -errno;
    return 0;
}

int boot_descriptors(void)
{
    /* A detached copy of the one directory: nothing else of /proc can be reached through it. Without it (no /proc
     * there) donated pipes work all the same. */
    hostfile_set_proc(host_clone_directory("/proc/self/fd"));
    boot.listener = server_prepare_listener(DONATED_LISTENER);
    return replace_stdio();
}
