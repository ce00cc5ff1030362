/*
 * Where a JSON object ends in a stream of bytes, without parsing it: braces and brackets outside of strings are
 * counted. What comes between objects may be anything without such; a parser says whether an object is one.
 *
 *     struct json_frame f = {0};
 *     for each byte: if (json_frame_step(&f, byte)) an object ends with this byte, and f is as at the start
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct json_frame {
    size_t depth;
    bool in_string, escaped;
};

static inline bool json_frame_step(struct json_frame *f, char c)
{
    if (f->in_string) {
        if (f->escaped)
            f->escaped = false;
        else if (c == '\\')
            f->escaped = true;
        else if (c == '"')
            f->in_string = false;
        return false;
    }
    switch (c) {
    case '"':
        f->in_string = f->depth > 0;
        return false;
    case '{':
    case '[':
        f->depth++;
        return false;
    case '}':
    case ']':
        return f->depth > 0 && --f->depth == 0;
    default:
        return false;
    }
}
