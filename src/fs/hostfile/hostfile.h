/*
 * Host files: what the caller gave the sandbox as its first process's descriptors: regular files,
 * pipes, sockets, terminals, /dev/null.
 *
 * The open file description stays the caller's: its position is shared with whoever else holds it,
 * so reads and writes go to the descriptor itself, and its O_NONBLOCK flag is not ours to change.
 * Pipes and terminals are therefore opened anew through /proc when that is possible; otherwise each
 * call is made so that it doesn't block (MSG_DONTWAIT, RWF_NOWAIT, or a look at poll(2) first).
 *
 * A terminal is not handed through: the guest gets a pseudo-terminal of its own (fs/tty.h) so that
 * sessions, process groups and ^C are the guest's; console.c moves the bytes between it and the
 * host's terminal, which the runtime has put into raw mode. All descriptors that are the same
 * terminal share one.
 *
 * Not for files that a guest opens by name: those are hostfs's.
 */
#pragma once
#include "vfs/file.h"

struct pid;
struct tty;

/* The host's /proc, while hostfile_new() is called before lock-down (-1: not any more): pipes and
 * terminals are then opened anew, so that they can be made non-blocking without changing the
 * caller's description. */
void hostfile_set_proc(int proc_fd);

/* A file over host_fd, which it owns from then on (also on failure, but for -EBADF). Called before
 * the first guest instruction. */
NODISCARD int hostfile_new(int host_fd, struct file **ret);

/* The guest's side of the host's terminal (a reference), or NULL if no descriptor was one: for the
 * first process's session. */
struct tty *hostfile_console(void);

/* The terminal belongs to this user. Before the first process starts. */
void hostfile_own_console(uint32_t uid);

/* The first process has started, with hostfile_console() as its terminal. */
void hostfile_start_session(struct pid *leader);

/* A signal that the host's terminal made, for the guest's foreground group: false if there is no
 * terminal. */
bool hostfile_signal_foreground(int sig);

/* The host's window has changed (SIGWINCH), or the sandbox has come to the foreground (SIGCONT):
 * the guest's terminal takes its size again. Any fiber. */
void hostfile_winsize_changed(void);

/* Before the kernel process ends: what the guest wrote last reaches the host's terminal. Waits a
 * second at most. */
void hostfile_drain(void);
