/* The growing string: doubles its memory, and remembers the first failure. */
#include "base/strbuf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strbuf_free(struct strbuf *b)
{
    free(b->s);
    *b = (struct strbuf)STRBUF_INIT;
}

void strbuf_reset(struct strbuf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->s)
        b->s[0] = '\0';
}

/* Makes room for `extra` bytes and a NUL. */
static bool reserve(struct strbuf *b, size_t extra)
{
    size_t need;
    if (b->failed)
        return false;
    if (__builtin_add_overflow(b->len, extra, &need) || need >= SIZE_MAX / 2) {
        b->failed = true;
        return false;
    }
    if (need < b->cap)
        return true;
    size_t cap = MAX(b->cap, (size_t)64);
    while (cap <= need)
        cap *= 2;
    char *grown = realloc(b->s, cap);
    if (!grown) {
        b->failed = true;
        return false;
    }
    b->s = grown;
    b->cap = cap;
    return true;
}

void strbuf_add(struct strbuf *b, const void *data, size_t len)
{
    if (!reserve(b, len))
        return;
    if (len)
        memcpy(b->s + b->len, data, len);
    b->len += len;
    b->s[b->len] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *s)
{
    strbuf_add(b, s, strlen(s));
}

void strbuf_putc(struct strbuf *b, char c)
{
    strbuf_add(b, &c, 1);
}

void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    size_t room = b->cap - b->len;
    int n = vsnprintf(b->s ? b->s + b->len : NULL, room, fmt, ap);
    if (n < 0)
        b->failed = true;
    else if ((size_t)n >= room && reserve(b, n))
        vsnprintf(b->s + b->len, b->cap - b->len, fmt, again);
    va_end(again);
    if (!b->failed)
        b->len += n;
    else if (b->s)
        b->s[b->len] = '\0';
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strbuf_vprintf(b, fmt, ap);
    va_end(ap);
}

char *strbuf_take(struct strbuf *b)
{
    if (!b->failed)
        strbuf_add(b, "", 0);
    char *s = b->failed ? NULL : b->s;
    if (!s)
        free(b->s);
    *b = (struct strbuf)STRBUF_INIT;
    return s;
}
