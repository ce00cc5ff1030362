/*
 * Start of the nameless file types. See files.h.
 */
#include "fs/files.h"
#include "fs/epoll/epoll.h"
#include "fs/inotify/inotify.h"
#include "fs/pipe/pipe.h"
#include "fs/tty.h"
#include "vfs/special.h"

int files_init(void)
{
    fifo_register(&fifo_ops);
    epoll_init();
    inotify_start();
    return devpts_init();
}
