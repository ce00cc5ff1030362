/* For tests of /proc and /sys: whole files as strings, lines and fields of them. */
#pragma once
#include "check.h"

/* The whole file, NUL-terminated, in a static buffer; length in *ret_len unless NULL. */
__attribute__((unused)) static char *slurp_n(const char *path, size_t *ret_len)
{
    static char buf[1 << 20];
    size_t len = 0;
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        dprintf(2, "open %s: ", path);
    CHECK(fd >= 0);
    ssize_t n;
    while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
        len += (size_t)n;
    if (n < 0)
        dprintf(2, "read %s: ", path);
    CHECK(n == 0 && len < sizeof(buf) - 1);
    close(fd);
    buf[len] = 0;
    if (ret_len)
        *ret_len = len;
    return buf;
}

__attribute__((unused)) static char *slurp(const char *path)
{
    return slurp_n(path, NULL);
}

/* The text after "key" at the start of a line, or NULL. */
__attribute__((unused)) static const char *field(const char *text, const char *key)
{
    size_t len = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, len) == 0)
            return line + len;
    return NULL;
}

/* The number after key; fails the test if there is none. */
__attribute__((unused)) static unsigned long long number(const char *text, const char *key)
{
    const char *at = field(text, key);
    if (!at)
        dprintf(2, "no field '%s': ", key);
    CHECK(at);
    char *end;
    unsigned long long n = strtoull(at, &end, 10);
    CHECK(end != at);
    return n;
}

/* Calls fn for every line, with the newline cut off; every line must end in one. Returns the count. */
__attribute__((unused)) static int each_line(char *text, void (*fn)(char *line))
{
    int n = 0;
    while (*text) {
        char *end = strchr(text, '\n');
        CHECK(end);
        *end = 0;
        fn(text);
        text = end + 1;
        n++;
    }
    return n;
}
