/* NETLINK_GENERIC: the family that tells of the others, of which there are none. See netlink.h. */
#include "net/netlink/netlink.h"
#include <linux/genetlink.h>

#define NOTIFY_GROUP 16

static const struct nl_policy policy[CTRL_ATTR_FAMILY_NAME + 1] = {
    [CTRL_ATTR_FAMILY_ID] = {NL_U16},
    [CTRL_ATTR_FAMILY_NAME] = {NL_STRING, GENL_NAMSIZ - 1},
};

static void fill_controller(struct nl_writer *w)
{
    struct genlmsghdr fixed = {.cmd = CTRL_CMD_NEWFAMILY, .version = 2};
    nl_open(w, GENL_ID_CTRL, 0, &fixed, sizeof(fixed));
    nl_attr_string(w, CTRL_ATTR_FAMILY_NAME, "nlctrl");
    nl_attr_u16(w, CTRL_ATTR_FAMILY_ID, GENL_ID_CTRL);
    nl_attr_u32(w, CTRL_ATTR_VERSION, 2);
    nl_attr_u32(w, CTRL_ATTR_HDRSIZE, 0);
    nl_attr_u32(w, CTRL_ATTR_MAXATTR, 10);
    size_t ops = nl_nest(w, CTRL_ATTR_OPS);
    size_t op = nl_nest(w, 1);
    nl_attr_u32(w, CTRL_ATTR_OP_ID, CTRL_CMD_GETFAMILY);
    nl_attr_u32(w, CTRL_ATTR_OP_FLAGS, GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP | GENL_CMD_CAP_HASPOL);
    nl_nest_end(w, op);
    nl_nest_end(w, ops);
    size_t groups = nl_nest(w, CTRL_ATTR_MCAST_GROUPS);
    size_t group = nl_nest(w, 1);
    nl_attr_u32(w, CTRL_ATTR_MCAST_GRP_ID, NOTIFY_GROUP);
    nl_attr_string(w, CTRL_ATTR_MCAST_GRP_NAME, "notify");
    nl_nest_end(w, group);
    nl_nest_end(w, groups);
    nl_close(w);
}

static int get_family(struct netlink_request *q)
{
    struct nl_attrs a;
    const char *bad;
    char name[GENL_NAMSIZ];
    int err = nl_parse(q->payload + GENL_HDRLEN, q->len - GENL_HDRLEN, policy, CTRL_ATTR_FAMILY_NAME, false, &a, &bad,
                       &q->why);
    if (err < 0)
        return err;
    if (!a.at[CTRL_ATTR_FAMILY_ID].data && !a.at[CTRL_ATTR_FAMILY_NAME].data)
        return -EINVAL;
    nl_get_string(&a.at[CTRL_ATTR_FAMILY_NAME], name, sizeof(name));
    if (a.at[CTRL_ATTR_FAMILY_ID].data ? nl_get_u16(&a.at[CTRL_ATTR_FAMILY_ID]) != GENL_ID_CTRL
                                       : strcmp(name, "nlctrl") != 0)
        return -ENOENT;
    fill_controller(&q->out);
    return 0;
}

int generic_request(struct netlink_request *q)
{
    struct genlmsghdr g;
    if (q->h.nlmsg_type != GENL_ID_CTRL)
        return -ENOENT;
    if (q->len < sizeof(g))
        return -EINVAL;
    memcpy(&g, q->payload, sizeof(g));
    if (g.cmd != CTRL_CMD_GETFAMILY)
        return -EOPNOTSUPP;
    if ((q->h.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
        fill_controller(&q->out);
        return 0;
    }
    return get_family(q);
}
