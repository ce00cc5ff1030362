/*
 * "#! interpreter [argument]": the line ends at a newline or at the end of what is looked at; an
 * interpreter's name that may be cut off there is refused, a cut-off argument is not.
 */
#include "loader/script.h"
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

static const char *find_terminator(const char *p, const char *end)
{
    while (p < end && !is_blank(*p) && *p)
        p++;
    return p;
}

static void take(char *dst, const char *from, const char *to)
{
    size_t n = strnlen(from, (size_t)(to - from));
    memcpy(dst, from, n);
    dst[n] = 0;
}

int script_parse(const char *head, size_t n, struct script *ret)
{
    char buf[SCRIPT_HEAD] = {
        0}; /* what lies beyond a short file reads as NUL, as in Linux's buffer */
    memcpy(buf, head, MIN(n, sizeof(buf)));
    if (buf[0] != '#' || buf[1] != '!')
        return -ENOEXEC;
    const char *limit = buf + sizeof(buf) - 1;
    const char *end = memchr(buf, '\n', sizeof(buf) - 1);
    if (!end) {
        const char *name = skip_blanks(buf + 2, limit);
        if (name == limit || find_terminator(name, limit) == limit)
            return -ENOEXEC;
        end = limit;
    }
    while (is_blank(end[-1]))
        end--;
    const char *name = skip_blanks(buf + 2, end);
    if (name == end || !*name)
        return -ENOEXEC;
    const char *name_end = find_terminator(name, end);
    const char *arg = name_end < end && *name_end ? skip_blanks(name_end, end) : end;
    take(ret->interp, name, name_end);
    take(ret->arg, arg, end);
    ret->has_arg = arg < end && *arg;
    return 0;
}
