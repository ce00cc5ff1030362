/*
 * Fuzz target: control messages. The input is what a guest gives sendmsg(2) as msg_control; every
 * message found must lie inside it. The same bytes are then given to a receiver with as much room as
 * the first byte says. Run by tests/fuzz/run, and over the corpus by every test run.
 */
#include "net/socket.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum; /* so that the bytes are read */

static void give(const char *data, size_t len, size_t room)
{
    char *out = malloc(room + 1);
    struct socket_message m = {.control_out = out, .control_room = room};
    message_put_control(&m, SOL_SOCKET, SCM_RIGHTS, data, len);
    message_put_control(&m, SOL_SOCKET, SCM_RIGHTS, data, len);
    if (m.control_used > room)
        abort();
    for (size_t n = 0; n < m.control_used; n++)
        sum += (unsigned char)out[n];
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct socket_message m = {.control = (const char *)data, .control_len = size};
    struct cmsghdr h;
    const char *at_data;
    size_t at = 0, len, rounds = 0;
    while (message_next_control(&m, &at, &h, &at_data, &len) > 0) {
        if (len > size || rounds++ > size)
            abort();
        for (size_t n = 0; n < len; n++)
            sum += (unsigned char)at_data[n];
        give(at_data, len, data[0]);
    }
    return 0;
}
