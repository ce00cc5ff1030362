/* Base64 (RFC 4648, with padding): how strings that are not text travel inside JSON. */
#pragma once
#include "base/base.h"

/* A fresh NUL-terminated string, or NULL when out of memory. */
char *base64_encode(const void *data, size_t len);
/* Decodes `text` into fresh memory with a NUL added; -EINVAL if it is not base64, -ENOMEM. */
NODISCARD int base64_decode(const char *text, char **ret_data, size_t *ret_len);
