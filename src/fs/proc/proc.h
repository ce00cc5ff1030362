/*
 * proc(5): processes and kernel state as files, built of the tables of vfs/synthetic.h.
 *
 * Each mount shows the processes of the pid namespace of whoever mounted it. An entry of a process
 * is bound to its struct pid, so an open file of a process that has ended gives ESRCH, never
 * another process's data.
 */
#pragma once
#include "base/base.h"
#include "base/host_facts.h"

struct file;
struct pid;

/* Registers the file system type. The facts are kept by reference. */
/* Whose directory a file is, referenced: /proc/PID, or -EBADF. */
NODISCARD int proc_file_pid(struct file *file, struct pid **ret);
NODISCARD int proc_init(const struct host_facts *facts);
