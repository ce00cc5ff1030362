/* Raw mode and back. */
#include "runtime/terminal.h"
#include <unistd.h>

void terminal_enter(struct terminal *t)
{
    if (t->raw || tcgetattr(STDIN_FILENO, &t->saved) < 0 || tcgetpgrp(STDIN_FILENO) != getpgrp())
        return;
    struct termios raw = t->saved;
    cfmakeraw(&raw);
    /* In a pipeline the others go on writing to this terminal, and rely on its output processing. */
    if (!isatty(STDOUT_FILENO))
        raw.c_oflag = t->saved.c_oflag;
    t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void terminal_leave(struct terminal *t)
{
    if (!t->raw)
        return;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
    t->raw = false;
}
