/*
 * Process groups, sessions and controlling terminals: setpgid(2), setsid(2), and what a terminal
 * driver needs to know of them (fs/devpts). All take tasklist_lock themselves unless named _locked.
 */
#pragma once
#include "base/base.h"

struct pid;
struct process;
struct tty;

NODISCARD int do_setpgid(int32_t pid, int32_t pgid);
NODISCARD int64_t do_setsid(void); /* the new session's number */
NODISCARD int64_t do_getpgid(int32_t pid);
NODISCARD int64_t do_getsid(int32_t pid);

/* Has no member a parent in the same session but another group? Then a stop signal of the terminal
 * would be for ever. */
bool process_group_is_orphaned(struct process *p);
bool pid_group_is_orphaned(struct pid *group);

/* tasklist_lock held. Moves take their own references on the pids. */
void process_join_group_locked(struct process *p, struct pid *group);
void process_join_session_locked(struct process *p, struct pid *session);
void process_leave_groups_locked(struct process *p); /* at reaping */
/* p ends or moves: groups that this leaves orphaned with a stopped member get SIGHUP and SIGCONT.
 * */
void process_orphan_groups_locked(struct process *p);

/* ---- for terminal drivers ---- */
struct tty *current_tty(void);       /* a reference, or NULL */
struct pid *current_group(void);     /* a reference */
struct pid *current_session(void);   /* a reference */
bool current_is_session_leader(void);
bool pid_in_session(struct pid *group, struct pid *session); /* is `group` a live process group of the session? */
/* The terminal becomes the current session's; each process that is given one takes a reference
 * through tty_hooks.get. */
void session_set_tty(struct pid *session, struct tty *tty);
void session_clear_tty(struct pid *session);
/* Signal 0 or not: 0, or the current task must stop: sends sig to its own group unless that is
 * orphaned (-EIO) or the signal is blocked or ignored (*ret_ignored). -ERESTARTSYS after sending.
 * */
NODISCARD int tty_stop_current_group(int sig, bool *ret_ignored);
