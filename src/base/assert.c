/* Where a failed assertion ends: one line on stderr, then abort(). Uses no memory and no lock. */
#include "base/assert.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void assert_failed(const char *expr, const char *file, int line)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "picket: assertion failed: %s at %s:%d\n", expr, file, line);
    if (n > (int)sizeof(text) - 1)
        n = sizeof(text) - 1;
    if (write(STDERR_FILENO, text, n) != n) {
        /* nobody is left to tell */
    }
    abort();
}
