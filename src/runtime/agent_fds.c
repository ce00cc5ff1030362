/* An agent's descriptors: what the process gets, what is ours, and nothing else. */
#include "base/cleanup.h"
#include "runtime/agent_loop.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGENT_FDS 400 /* our own are from here on; below are the process's */
#define AGENT_FDS_END (AGENT_FDS + 64)

void agent_fill_stdio(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDWR);
}

int agent_sort_fds(unsigned process_fds, int *const keep[], unsigned keep_count, struct error *err)
{
    for (unsigned i = 0; i < keep_count; i++) {
        if (*keep[i] < 0)
            continue;
        int high = fcntl(*keep[i], F_DUPFD_CLOEXEC, AGENT_FDS_END);
        if (high < 0)
            return error_set(err, EXIT_FAILURE, "cannot keep a descriptor: %s", strerror(errno));
        *keep[i] = high;
    }
    close_range(process_fds, AGENT_FDS_END - 1, 0);
    /* Again, into the range that is ours, which is empty now; the rest goes. */
    for (unsigned i = 0; i < keep_count; i++)
        if (*keep[i] >= 0)
            *keep[i] = fcntl(*keep[i], F_DUPFD_CLOEXEC, AGENT_FDS);
    close_range(AGENT_FDS_END, ~0U, 0);
    return 0;
}

int agent_collect_fds(struct agent *a, unsigned preserve, int console, struct error *err)
{
    a->fds = calloc(3 + preserve, sizeof *a->fds);
    if (!a->fds)
        return error_set(err, EXIT_FAILURE, "out of memory");
    /* With a terminal, what the caller has there is not the process's, and may be a pipe whose end it waits for. */
    CLEANUP_FD int null = console >= 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    for (int fd = 0; fd < 3; fd++) {
        if (null >= 0)
            dup2(null, fd);
        a->fds[a->fd_count++] = console >= 0 ? console : fd;
    }
    for (unsigned i = 0; i < preserve; i++) {
        if (fcntl(3 + (int)i, F_GETFD) < 0)
            return error_set(err, EXIT_FAILURE, "--preserve-fds: descriptor %u is not open", 3 + i);
        a->fds[a->fd_count++] = 3 + (int)i;
    }
    return 0;
}
