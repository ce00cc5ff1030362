/*
 * Control messages in and out: cmsg(3).
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

int message_next_control(const struct socket_message *m, size_t *at, struct cmsghdr *ret, const char **ret_data,
                         size_t *ret_len)
{
    size_t left = m->control_len - *at;
    if (left < sizeof(*ret))
        return 0;
    memcpy(ret, m->control + *at, sizeof(*ret));
    if (ret->cmsg_len < sizeof(*ret) || ret->cmsg_len > left)
        return -EINVAL;
    *ret_data = m->control + *at + sizeof(*ret);
    *ret_len = ret->cmsg_len - sizeof(*ret);
    *at += MIN(left, CMSG_ALIGN(ret->cmsg_len));
    return 1;
}
