/* The first process's descriptors 0, 1 and 2: the caller's own. */
#include "base/cleanup.h"
#include "boot/boot.h"
#include "fs/hostfile/hostfile.h"
#include "kernel/fdtable.h"
#include <fcntl.h>
#include <unistd.h>

#define FD_SHELF 64 /* away from the numbers that mean something to this process */

static int donate(int fd)
{
    struct file *file;
    int shelved = fcntl(fd, F_DUPFD_CLOEXEC, FD_SHELF);
    if (shelved < 0)
        return -errno;
    int err = hostfile_new(shelved, &file);
    return err ? err : fdtable_install_at(boot.files, fd, file, false);
}

int boot_stdio(void)
{
    int err = fdtable_new(&boot.files);
    CLEANUP_FD int proc = open("/proc", O_PATH | O_CLOEXEC);
    hostfile_set_proc(proc);
    for (int fd = 0; fd < 3 && !err; fd++)
        if (boot.request->stdio_open[fd])
            err = donate(fd);
    hostfile_set_proc(-1);
    if (err)
        return err;
    /* Our own 0 and 1 must not hold the caller's files open, nor be free for others. 2 stays: it is where the last
     * words of a failing kernel go. */
    CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        return -errno;
    return 0;
}
