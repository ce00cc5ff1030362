/*
 * Where a JSON object ends in a stream of bytes, without parsing it: braces and brackets outside of strings are
 * counted. An object is on one line: a newline inside one, or anything else than white space between two, is bad, and
 * what follows the newline is looked at afresh. So whatever comes, the stream is in step again at the next newline.
 *
 *     struct json_frame f = {0};
 *     for each byte: json_frame_step(&f, byte)
 *
 * FRAME_END: an object ends with this byte. FRAME_BAD: with this newline something ends that is none. Either way f is
 * as at the start.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define JSON_FRAME_DEPTH 32 /* what is nested deeper is bad: a parser's stack is small */

enum frame_step { FRAME_MORE, FRAME_END, FRAME_BAD };

struct json_frame {
    size_t depth;
    bool in_string, escaped;
    bool bad; /* until the newline */
};

static inline bool json_frame_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline enum frame_step json_frame_newline(struct json_frame *f)
{
    bool bad = f->bad || f->depth > 0;
    *f = (struct json_frame){0};
    return bad ? FRAME_BAD : FRAME_MORE;
}

static inline void json_frame_string(struct json_frame *f, char c)
{
    if (f->escaped)
        f->escaped = false;
    else if (c == '\\')
        f->escaped = true;
    else if (c == '"')
        f->in_string = false;
}

static inline enum frame_step json_frame_step(struct json_frame *f, char c)
{
    if (c == '\n')
        return json_frame_newline(f);
    if (f->bad)
        return FRAME_MORE;
    if (f->in_string) {
        json_frame_string(f, c);
        return FRAME_MORE;
    }
    if (c == '{' || c == '[') {
        f->bad = ++f->depth > JSON_FRAME_DEPTH;
    } else if (f->depth == 0) {
        f->bad = !json_frame_is_space(c);
    } else if (c == '"') {
        f->in_string = true;
    } else if (c == '}' || c == ']') {
        return --f->depth == 0 ? FRAME_END : FRAME_MORE;
    }
    return FRAME_MORE;
}
