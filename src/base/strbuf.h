/*
 * A growing string. Starts empty (STRBUF_INIT or zeroes), always NUL-terminated once anything was
 * added. Running out of memory sets `failed` and later additions do nothing, so a long sequence
 * needs one check at its end. strbuf_free() gives the memory back; strbuf_take() hands the string
 * to the caller.
 */
#pragma once
#include "base/base.h"
#include <stdarg.h>

struct strbuf {
    char *s;
    size_t len, cap;
    bool failed;
};

#define STRBUF_INIT {0}
#define CLEANUP_STRBUF __attribute__((cleanup(strbuf_free)))

void strbuf_free(struct strbuf *b);
void strbuf_reset(struct strbuf *b); /* empties, keeps the memory */
void strbuf_add(struct strbuf *b, const void *data, size_t len);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_putc(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) PRINTF(2, 3);
void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap) PRINTF(2, 0);
char *strbuf_take(struct strbuf *b); /* NULL if failed; the caller frees */
