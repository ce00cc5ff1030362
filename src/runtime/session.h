/* The command line's side of a running sandbox: signals in, the exit status out. See sandbox_wait(). */
#pragma once

/* Blocks the signals that will be forwarded; before the kernel process is made, so that none is lost or kills us. */
void session_block_signals(void);
