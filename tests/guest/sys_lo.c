/* /sys/class/net/lo and what else programs look for in /sys. */
#include "synth.h"
#include <sys/stat.h>

int main(void)
{
    struct stat st;
    char text[256] = "";
    CHECK(readlink("/sys/class/net/lo", text, sizeof(text) - 1) > 0 && strstr(text, "devices/virtual/net/lo"));
    CHECK(strcmp(slurp("/sys/class/net/lo/address"), "00:00:00:00:00:00\n") == 0);
    CHECK(strcmp(slurp("/sys/class/net/lo/mtu"), "65536\n") == 0);
    CHECK(strcmp(slurp("/sys/class/net/lo/type"), "772\n") == 0);
    CHECK(strcmp(slurp("/sys/class/net/lo/ifindex"), "1\n") == 0);
    CHECK(strtoul(slurp("/sys/class/net/lo/flags"), NULL, 16) & 8);
    CHECK(slurp("/sys/class/net/lo/operstate")[0]);
    CHECK(strspn(slurp("/sys/class/net/lo/statistics/rx_bytes"), "0123456789") > 0);
    int fd = open("/sys/class/net/lo/speed", O_RDONLY);
    CHECK_ERR(read(fd, text, 10), EINVAL);
    CHECK(strchr(slurp("/sys/kernel/mm/transparent_hugepage/enabled"), '['));
    CHECK(atoi(slurp("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")) == 2 << 20);
    CHECK(stat("/sys/fs/cgroup", &st) == 0 && S_ISDIR(st.st_mode));
    CHECK(stat("/sys/block", &st) == 0 && S_ISDIR(st.st_mode));
    CHECK(mkdir("/sys/new", 0755) == -1 && (errno == EROFS || errno == EPERM));
    return 0;
}
