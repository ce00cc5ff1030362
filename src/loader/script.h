/* The first line of a #! script, split as Linux does. Pure text: fuzzed and tested on its own. */
#pragma once
#include "base/base.h"

#define SCRIPT_HEAD 256 /* BINPRM_BUF_SIZE: no more of a file is looked at */

struct script {
    char interp[SCRIPT_HEAD];
    char arg[SCRIPT_HEAD]; /* one argument, blanks inside and all */
    bool has_arg;
};

/* head: the file's first bytes. -ENOEXEC: no script, or its line is cut off inside the
 * interpreter's name. */
NODISCARD int script_parse(const char *head, size_t n, struct script *ret);
