/*
 * Control messages for the receiver: cmsg(3).
 */
#include "net/socket.h"
#include <string.h>

void message_put_control(struct socket_message *m, int level, int type, const void *data, size_t len)
{
    size_t room = m->control_room - m->control_used;
    struct cmsghdr h = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    if (!m->control_out || room < sizeof(h)) {
        m->ret_flags |= MSG_CTRUNC;
        return;
    }
    if (room < CMSG_LEN(len)) {
        m->ret_flags |= MSG_CTRUNC;
        h.cmsg_len = room;
    }
    char *at = m->control_out + m->control_used;
    memcpy(at, &h, sizeof(h));
    memcpy(at + sizeof(h), data, h.cmsg_len - sizeof(h));
    size_t space = MIN(CMSG_SPACE(len), room);
    memset(at + h.cmsg_len, 0, space - h.cmsg_len);
    m->control_used += space;
}
