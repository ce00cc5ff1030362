/* Base64: three bytes to four letters and back. */
#include "base/base64.h"
#include "base/cleanup.h"
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t len)
{
    const unsigned char *in = data;
    char *out = malloc((len + 2) / 3 * 4 + 1), *o = out;
    if (!out)
        return NULL;
    for (size_t i = 0; i < len; i += 3) {
        size_t n = MIN(len - i, (size_t)3);
        uint32_t v = (uint32_t)in[i] << 16 | (n > 1 ? in[i + 1] << 8 : 0) | (n > 2 ? in[i + 2] : 0);
        *o++ = letters[v >> 18];
        *o++ = letters[v >> 12 & 63];
        *o++ = n > 1 ? letters[v >> 6 & 63] : '=';
        *o++ = n > 2 ? letters[v & 63] : '=';
    }
    *o = '\0';
    return out;
}

/* The value of four letters and how many bytes they stand for, or -EINVAL. */
static int decode_group(const char *s, uint32_t *ret_value)
{
    int pad = s[3] != '=' ? 0 : s[2] != '=' ? 1 : 2;
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        const char *at = i < 4 - pad ? strchr(letters, s[i]) : letters;
        if (!at || !s[i])
            return -EINVAL;
        value = value << 6 | (uint32_t)(at - letters);
    }
    *ret_value = value;
    return 3 - pad;
}

int base64_decode(const char *text, char **ret_data, size_t *ret_len)
{
    size_t text_len = strlen(text), len = 0;
    if (text_len % 4)
        return -EINVAL;
    CLEANUP_FREE char *data = malloc(text_len / 4 * 3 + 1);
    if (!data)
        return -ENOMEM;
    for (size_t i = 0; i < text_len; i += 4) {
        uint32_t value;
        int n = decode_group(text + i, &value);
        if (n < 0 || (n < 3 && i + 4 < text_len))
            return -EINVAL;
        for (int k = 0; k < n; k++)
            data[len++] = (char)(value >> (16 - 8 * k));
    }
    data[len] = '\0';
    *ret_data = TAKE_PTR(data);
    *ret_len = len;
    return 0;
}
