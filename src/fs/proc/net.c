/*
 * /proc/PID/net: tables of the network namespace that the process is in. What they say is net/show.h's
 * affair.
 */
#include "base/cleanup.h"
#include "fs/proc/private.h"
#include "net/show.h"

/* The namespace of the row's process: a reference. */
static int namespace_of(struct synth_inode *i, struct net_namespace **ret)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    spin_lock(&t.task->alloc_lock);
    struct net_namespace *ns = t.task->ns.net ? net_namespace_get(t.task->ns.net) : NULL;
    spin_unlock(&t.task->alloc_lock);
    *ret = ns;
    return ns ? 0 : -ESRCH;
}

static int show(struct synth_inode *i, struct strbuf *out)
{
    struct net_namespace *ns;
    net_show_fn *fn = net_show_find(i->entry->name);
    int err = fn ? namespace_of(i, &ns) : -EINVAL;
    if (err < 0)
        return err;
    err = fn(ns, out);
    net_namespace_put(ns);
    return err;
}

#define TABLE(name) REG(name, 0444, show)

static const struct synth_entry stat_entries[] = {
    TEXT("arp_cache", 0444,
         "entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast "
         "periodic_gc_runs forced_gc_runs unresolved_discards table_fulls\n"),
    TEXT("rt_cache", 0444,
         "entries  in_hit   in_slow_tot in_slow_mc in_no_route in_brd   in_martian_dst in_martian_src "
         "out_hit  out_slow_tot out_slow_mc gc_total gc_ignored gc_goal_miss gc_dst_overflow "
         "in_hlist_search out_hlist_search\n"),
    {0},
};

const struct synth_entry proc_net_entries[] = {
    TEXT("anycast6", 0444, ""),
    TABLE("arp"),
    TABLE("dev"),
    TABLE("dev_mcast"),
    TABLE("fib_trie"),
    TABLE("icmp"),
    TABLE("icmp6"),
    TABLE("if_inet6"),
    TABLE("igmp"),
    TABLE("igmp6"),
    TEXT("ip6_flowlabel", 0444, "Label S Owner  Users  Linger Expires  Dst                              Opt\n"),
    TABLE("ipv6_route"),
    TEXT("mcfilter", 0444, "Idx Device        MCA        SRC    INC    EXC\n"),
    TEXT("mcfilter6", 0444, ""),
    TABLE("netlink"),
    TABLE("netstat"),
    TABLE("packet"),
    TABLE("protocols"),
    TABLE("psched"),
    TABLE("ptype"),
    TABLE("raw"),
    TABLE("raw6"),
    TABLE("route"),
    TEXT("rt6_stats", 0444, "0000 0000 0000 0000 0000 0000 0000\n"),
    TABLE("rt_cache"),
    TABLE("snmp"),
    TABLE("snmp6"),
    TABLE("sockstat"),
    TABLE("sockstat6"),
    TABLE("softnet_stat"),
    DIR("stat", 0555, .entries = stat_entries),
    TABLE("tcp"),
    TABLE("tcp6"),
    TABLE("udp"),
    TABLE("udp6"),
    TEXT("udplite", 0444,
         "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref "
         "pointer drops             \n"),
    TEXT("udplite6", 0444,
         "  sl  local_address                         remote_address                        st tx_queue rx_queue tr "
         "tm->when retrnsmt   uid  timeout inode ref pointer drops\n"),
    TABLE("unix"),
    {0},
};
