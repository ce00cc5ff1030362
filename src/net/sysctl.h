/*
 * The numbers of /proc/sys/net, each namespace's own: one list from which the fields, their
 * defaults and the files are made.
 *
 *     ns->sysctl.somaxconn, ns->sysctl.ip_local_port_range[1]
 *
 * ONE(folder, name, default, lowest, highest)
 * MANY(folder, name, count, lowest, highest, defaults...)
 */
#pragma once
#include <limits.h>
#include <stdint.h>

#define NET_SYSCTLS(ONE, MANY)                                                     \
    ONE(CORE, somaxconn, 4096, 0, INT_MAX)                                         \
    ONE(CORE, rmem_default, 212992, 2304, INT_MAX)                                 \
    ONE(CORE, rmem_max, 212992, 2304, INT_MAX)                                     \
    ONE(CORE, wmem_default, 212992, 4608, INT_MAX)                                 \
    ONE(CORE, wmem_max, 212992, 4608, INT_MAX)                                     \
    ONE(CORE, optmem_max, 131072, 0, INT_MAX)                                      \
    ONE(UNIX, max_dgram_qlen, 10, INT_MIN, INT_MAX)                               \
    ONE(IPV4, ip_default_ttl, 64, 1, 255)                                          \
    ONE(IPV4, ip_forward, 0, INT_MIN, INT_MAX)                                     \
    MANY(IPV4, ip_local_port_range, 2, 1, 65535, 32768, 60999)                     \
    ONE(IPV4, ip_unprivileged_port_start, 1024, 0, 65535)                          \
    ONE(IPV4, ip_nonlocal_bind, 0, INT_MIN, INT_MAX)                               \
    ONE(IPV4, ip_autobind_reuse, 0, 0, 1)                                          \
    ONE(IPV4, ip_no_pmtu_disc, 0, 0, 255)                                          \
    ONE(IPV4, ip_early_demux, 1, 0, 255)                                           \
    ONE(IPV4, ip_dynaddr, 0, 0, 255)                                               \
    ONE(IPV4, ipfrag_time, 30, 0, INT_MAX)                                         \
    ONE(IPV4, icmp_echo_ignore_all, 0, 0, 1)                                       \
    ONE(IPV4, icmp_echo_ignore_broadcasts, 1, 0, 1)                                \
    ONE(IPV4, icmp_ignore_bogus_error_responses, 1, 0, 1)                          \
    ONE(IPV4, icmp_errors_use_inbound_ifaddr, 0, 0, 1)                             \
    ONE(IPV4, icmp_ratelimit, 1000, 0, INT_MAX)                                    \
    ONE(IPV4, icmp_ratemask, 6168, INT_MIN, INT_MAX)                               \
    ONE(IPV4, igmp_max_memberships, 20, INT_MIN, INT_MAX)                          \
    ONE(IPV4, igmp_max_msf, 10, INT_MIN, INT_MAX)                                  \
    ONE(IPV4, igmp_qrv, 2, 1, INT_MAX)                                             \
    MANY(IPV4, ping_group_range, 2, 0, INT_MAX, 1, 0)                              \
    ONE(IPV4, tcp_abort_on_overflow, 0, 0, 255)                                    \
    ONE(IPV4, tcp_adv_win_scale, 1, -31, 31)                                       \
    ONE(IPV4, tcp_autocorking, 1, 0, 255)                                          \
    ONE(IPV4, tcp_base_mss, 1024, INT_MIN, INT_MAX)                                \
    ONE(IPV4, tcp_dsack, 1, 0, 255)                                                \
    ONE(IPV4, tcp_early_retrans, 3, 0, 4)                                          \
    ONE(IPV4, tcp_ecn, 2, 0, 5)                                                    \
    ONE(IPV4, tcp_fastopen, 1, INT_MIN, INT_MAX)                                   \
    ONE(IPV4, tcp_fin_timeout, 60, INT_MIN, INT_MAX)                               \
    ONE(IPV4, tcp_frto, 2, 0, 255)                                                 \
    ONE(IPV4, tcp_keepalive_intvl, 75, INT_MIN, INT_MAX)                           \
    ONE(IPV4, tcp_keepalive_probes, 9, 0, 255)                                     \
    ONE(IPV4, tcp_keepalive_time, 7200, INT_MIN, INT_MAX)                          \
    ONE(IPV4, tcp_limit_output_bytes, 4194304, INT_MIN, INT_MAX)                   \
    ONE(IPV4, tcp_max_syn_backlog, 1024, INT_MIN, INT_MAX)                         \
    ONE(IPV4, tcp_max_tw_buckets, 65536, INT_MIN, INT_MAX)                         \
    ONE(IPV4, tcp_min_snd_mss, 48, 48, 65535)                                      \
    ONE(IPV4, tcp_moderate_rcvbuf, 1, 0, 255)                                      \
    ONE(IPV4, tcp_mtu_probing, 0, 0, 255)                                          \
    ONE(IPV4, tcp_no_metrics_save, 0, 0, 255)                                      \
    ONE(IPV4, tcp_notsent_lowat, -1, INT_MIN, INT_MAX)                             \
    ONE(IPV4, tcp_orphan_retries, 0, 0, 255)                                       \
    ONE(IPV4, tcp_recovery, 1, 0, 255)                                             \
    ONE(IPV4, tcp_reordering, 3, INT_MIN, INT_MAX)                                 \
    ONE(IPV4, tcp_retries1, 3, 0, 255)                                             \
    ONE(IPV4, tcp_retries2, 15, 0, 255)                                            \
    ONE(IPV4, tcp_rfc1337, 0, 0, 255)                                              \
    MANY(IPV4, tcp_rmem, 3, 1, INT_MAX, 4096, 131072, 6291456)                     \
    ONE(IPV4, tcp_sack, 1, 0, 255)                                                 \
    ONE(IPV4, tcp_slow_start_after_idle, 1, 0, 255)                                \
    ONE(IPV4, tcp_stdurg, 0, 0, 255)                                               \
    ONE(IPV4, tcp_syn_retries, 6, 1, 127)                                          \
    ONE(IPV4, tcp_synack_retries, 5, 0, 255)                                       \
    ONE(IPV4, tcp_syncookies, 1, 0, 255)                                           \
    ONE(IPV4, tcp_timestamps, 1, 0, 255)                                           \
    ONE(IPV4, tcp_tw_reuse, 2, 0, 2)                                               \
    ONE(IPV4, tcp_window_scaling, 1, 0, 255)                                       \
    MANY(IPV4, tcp_wmem, 3, 1, INT_MAX, 4096, 16384, 4194304)                      \
    ONE(IPV4, udp_early_demux, 1, 0, 255)                                          \
    ONE(IPV4, udp_rmem_min, 4096, 1, INT_MAX)                                      \
    ONE(IPV4, udp_wmem_min, 4096, 1, INT_MAX)                                      \
    ONE(IPV6, bindv6only, 0, 0, 255)                                               \
    ONE(IPV6, ip_nonlocal_bind, 0, 0, 255)                                         \
    ONE(IPV6, auto_flowlabels, 1, 0, 3)                                            \
    ONE(IPV6, flowlabel_consistency, 1, 0, 255)                                    \
    ONE(IPV6, flowlabel_state_ranges, 0, 0, 255)                                   \
    ONE(IPV6, anycast_src_echo_reply, 0, 0, 255)                                   \
    ONE(IPV6, idgen_delay, 1, INT_MIN, INT_MAX)                                    \
    ONE(IPV6, idgen_retries, 3, INT_MIN, INT_MAX)                                  \
    ONE(IPV6, max_dst_opts_number, 8, INT_MIN, INT_MAX)                            \
    ONE(IPV6, max_hbh_opts_number, 8, INT_MIN, INT_MAX)

#define NET_SYSCTL_FIELD_ONE(folder, name, value, low, high) _Atomic int NET_SYSCTL_##folder(name);
#define NET_SYSCTL_FIELD_MANY(folder, name, count, low, high, ...) _Atomic int NET_SYSCTL_##folder(name)[count];
/* A field has the file's name; those of IPv6 that IPv4 also has are told apart. */
#define NET_SYSCTL_CORE(name) name
#define NET_SYSCTL_UNIX(name) name
#define NET_SYSCTL_IPV4(name) name
#define NET_SYSCTL_IPV6(name) ipv6_##name

struct net_sysctls {
    NET_SYSCTLS(NET_SYSCTL_FIELD_ONE, NET_SYSCTL_FIELD_MANY)
};

void net_sysctls_init(struct net_sysctls *s);

/* net.ipv4.conf.IF: ONE(name, default, default of "all") */
#define NET_CONF4(ONE)             \
    ONE(accept_local, 0, 0)        \
    ONE(accept_redirects, 1, 1)    \
    ONE(accept_source_route, 1, 0) \
    ONE(arp_accept, 0, 0)          \
    ONE(arp_announce, 0, 0)        \
    ONE(arp_evict_nocarrier, 1, 1) \
    ONE(arp_filter, 0, 0)          \
    ONE(arp_ignore, 0, 0)          \
    ONE(arp_notify, 0, 0)          \
    ONE(bc_forwarding, 0, 0)       \
    ONE(bootp_relay, 0, 0)         \
    ONE(disable_policy, 0, 0)      \
    ONE(disable_xfrm, 0, 0)        \
    ONE(drop_gratuitous_arp, 0, 0) \
    ONE(drop_unicast_in_l2_multicast, 0, 0) \
    ONE(force_igmp_version, 0, 0)  \
    ONE(forwarding, 0, 0)          \
    ONE(igmpv2_unsolicited_report_interval, 10000, 10000) \
    ONE(igmpv3_unsolicited_report_interval, 1000, 1000)   \
    ONE(ignore_routes_with_linkdown, 0, 0) \
    ONE(log_martians, 0, 0)        \
    ONE(mc_forwarding, 0, 0)       \
    ONE(medium_id, 0, 0)           \
    ONE(promote_secondaries, 0, 0) \
    ONE(proxy_arp, 0, 0)           \
    ONE(proxy_arp_pvlan, 0, 0)     \
    ONE(route_localnet, 0, 0)      \
    ONE(rp_filter, 0, 0)           \
    ONE(secure_redirects, 1, 1)    \
    ONE(send_redirects, 1, 1)      \
    ONE(shared_media, 1, 1)        \
    ONE(src_valid_mark, 0, 0)      \
    ONE(tag, 0, 0)

#define NET_CONF6(ONE)             \
    ONE(accept_dad, 1, 0)          \
    ONE(accept_ra, 1, 1)           \
    ONE(accept_ra_defrtr, 1, 1)    \
    ONE(accept_ra_mtu, 1, 1)       \
    ONE(accept_ra_pinfo, 1, 1)     \
    ONE(accept_redirects, 1, 1)    \
    ONE(accept_source_route, 0, 0) \
    ONE(addr_gen_mode, 0, 0)       \
    ONE(autoconf, 1, 1)            \
    ONE(dad_transmits, 1, 1)       \
    ONE(disable_ipv6, 0, 0)        \
    ONE(disable_policy, 0, 0)      \
    ONE(drop_unicast_in_l2_multicast, 0, 0) \
    ONE(enhanced_dad, 1, 1)        \
    ONE(force_mld_version, 0, 0)   \
    ONE(forwarding, 0, 0)          \
    ONE(hop_limit, 64, 64)         \
    ONE(ignore_routes_with_linkdown, 0, 0) \
    ONE(keep_addr_on_down, 0, 0)   \
    ONE(max_addresses, 16, 16)     \
    ONE(mc_forwarding, 0, 0)       \
    ONE(mtu, 1280, 1280)           \
    ONE(ndisc_notify, 0, 0)        \
    ONE(proxy_ndp, 0, 0)           \
    ONE(router_solicitation_delay, 1, 1)     \
    ONE(router_solicitation_interval, 4, 4)  \
    ONE(router_solicitations, -1, -1)        \
    ONE(rpl_seg_enabled, 0, 0)     \
    ONE(seg6_enabled, 0, 0)        \
    ONE(suppress_frag_ndisc, 1, 1) \
    ONE(temp_prefered_lft, 86400, 86400)     \
    ONE(temp_valid_lft, 604800, 604800)      \
    ONE(use_oif_addrs_only, 0, 0)  \
    ONE(use_tempaddr, 0, 0)

#define NET_CONF_FIELD(name, value, all) _Atomic int name;
struct net_conf4 {
    NET_CONF4(NET_CONF_FIELD)
};
struct net_conf6 {
    NET_CONF6(NET_CONF_FIELD)
};

void net_conf4_init(struct net_conf4 *c, int all);
void net_conf6_init(struct net_conf6 *c, int all);
