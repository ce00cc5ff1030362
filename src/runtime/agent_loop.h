/* The part of an agent's life that containers and execs have in common. See agent.h. */
#pragma once
#include "base/base.h"
#include "runtime/client.h"

struct agent {
    struct client client;
    const char *id;  /* of the container */
    int64_t process; /* exec: the handle for Proc.*; 0: the container's first process */
    int64_t wait_id; /* of the request whose answer ends it all; 0: not started yet */
    int signals;     /* signalfd */
    int listener;    /* agent.sock, until `start`; or -1 */
    pid_t kernel;    /* the sandbox's kernel process, our child; or 0 */
    json_t *start;   /* parameters of StartContainer, until then */
    int *fds;        /* its descriptors */
    unsigned fd_count;
};

/* 0, 1 and 2 become something, if they are closed. */
void agent_fill_stdio(void);
/* Closes everything that is neither the process's (0 to process_fds - 1) nor in `keep`: nothing may
 * hold the caller's pipes. Those of `keep` that are not -1 move out of the way, and stay. */
NODISCARD int agent_sort_fds(unsigned process_fds, int *const keep[], unsigned keep_count,
                             struct error *err);
/* The process's descriptors into a->fds, in the order of their numbers; console, if not -1, stands
 * for 0 to 2. */
NODISCARD int agent_collect_fds(struct agent *a, unsigned preserve, int console, struct error *err);

/* Blocks all signals, and makes the descriptor they come by. */
NODISCARD int agent_loop_signals(struct agent *a, struct error *err);
/* Closes what the process got, so that nothing here holds the caller's pipes. */
void agent_loop_release_stdio(struct agent *a);
/* Asks for the answer that will end it. */
NODISCARD int agent_loop_wait(struct agent *a, struct error *err);
/* Until the end; never returns. */
_Noreturn void agent_loop(struct agent *a);
