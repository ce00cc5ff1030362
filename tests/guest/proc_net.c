/* /proc/net: the headers that parsers expect, and the loopback interface. */
#include "synth.h"

int main(void)
{
    char *text = slurp("/proc/net/dev");
    CHECK(strncmp(text, "Inter-|   Receive ", 18) == 0 && strstr(text, "\n    lo: "));
    CHECK(strncmp(slurp("/proc/net/tcp"), "  sl  local_address rem_address   st tx_queue rx_queue tr ", 58) == 0);
    CHECK(strncmp(slurp("/proc/net/udp"), "   sl  local_address rem_address   st tx_queue rx_queue tr ", 59) == 0);
    CHECK(strncmp(slurp("/proc/net/unix"), "Num       RefCount Protocol Flags    Type St Inode Path\n", 56) == 0);
    CHECK(strncmp(slurp("/proc/net/route"), "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\t", 51) == 0);
    CHECK(strncmp(slurp("/proc/self/net/arp"), "IP address ", 11) == 0);
    return 0;
}
