/*
 * Host files: what the caller gave a process of the sandbox as its descriptors: regular files,
 * pipes, sockets, terminals, /dev/null.
 *
 * The open file description stays the caller's: its position is shared with whoever else holds it,
 * so reads and writes go to the descriptor itself, and its O_NONBLOCK flag is not ours to change.
 * Pipes and terminals are therefore opened anew through /proc when that is possible; otherwise each
 * call is made so that it doesn't block (MSG_DONTWAIT, RWF_NOWAIT, or a look at poll(2) first).
 *
 * A terminal is not handed through: the guest gets a pseudo-terminal of its own (fs/tty.h) so that
 * sessions, process groups and ^C are the guest's; console.c moves the bytes between it and the
 * host's terminal, which the runtime has put into raw mode. All descriptors of a process that are the same
 * terminal share one.
 *
 * Not for files that a guest opens by name: those are hostfs's.
 */
#pragma once
#include "vfs/file.h"

struct pid;
struct tty;
struct console;

/* The host's /proc/self/fd, kept by the kernel process: pipes and terminals are opened anew through it, so that they
 * can be made non-blocking without changing the caller's description. -1: there is none. */
void hostfile_set_proc(int proc_fd);

#define HOSTFILE_MAX_CONSOLES 3

/* The descriptors that one process is started with; kept until it has ended. One user at a time, but for what is
 * said to be for any fiber. */
struct hostfile_set {
    uint32_t uid, gid;          /* [I] whose the guest sees them to be */
    struct super_block *devpts; /* [I] borrowed: where terminals get their numbers; NULL: the first instance */
    bool any_file;              /* the first one made is the standard input */
    struct console *consoles[HOSTFILE_MAX_CONSOLES];
    unsigned count;
};

NODISCARD int hostfile_set_new(uint32_t uid, uint32_t gid, struct super_block *devpts, struct hostfile_set **ret);
void hostfile_set_free(struct hostfile_set *set); /* NULL is fine; files and terminals in use go on */

/* A file over host_fd, which it owns from then on (also on failure, but for -EBADF). */
NODISCARD int hostfile_new(struct hostfile_set *set, int host_fd, struct file **ret);

/* The guest's side of the first of them that is a terminal (a reference), or NULL if none is: for the process's
 * session. */
struct tty *hostfile_console(struct hostfile_set *set);

/* The process has started, with hostfile_console() as its terminal. */
void hostfile_start_session(struct hostfile_set *set, struct pid *leader);

/* For the foreground group of the terminal: false if there is none. Any fiber. */
bool hostfile_signal_foreground(struct hostfile_set *set, int sig);

/* The host's window has changed (SIGWINCH), or the sandbox has come to the foreground (SIGCONT): the guest's terminal
 * takes its size again. Or it is given one: false if there is no terminal. Any fiber. */
void hostfile_winsize_changed(struct hostfile_set *set);
bool hostfile_set_window(struct hostfile_set *set, unsigned rows, unsigned columns);

/* What was written last reaches the host's terminal. Waits a second at most. */
void hostfile_drain(struct hostfile_set *set);
