/* What /proc and /sys in the sandbox say of the machine, read while the host's files can still be reached. */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "boot/boot.h"
#include "kernel/scheduling.h"
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define MAX_TEXT (4 << 20)

/* The whole text of a file, or "" if it cannot be read. Never freed: it is needed to the end. */
static char *read_text(const char *path)
{
    struct strbuf text = STRBUF_INIT;
    char piece[8192];
    ssize_t n;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    strbuf_puts(&text, "");
    while (fd >= 0 && text.len < MAX_TEXT && (n = read(fd, piece, sizeof piece)) > 0)
        strbuf_add(&text, piece, (size_t)n);
    return strbuf_take(&text);
}

int boot_facts(void)
{
    struct host_facts *facts = &boot.facts;
    struct sysinfo info;
    cpu_set_t mask;
    char *online = read_text("/sys/devices/system/cpu/online");
    facts->cpuinfo = read_text("/proc/cpuinfo");
    if (!online || !facts->cpuinfo || sysinfo(&info) < 0)
        return -ENOMEM;
    online[strcspn(online, "\n")] = '\0';
    facts->cpu_online = online;
    facts->cpu_count = 1;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
        _Static_assert(sizeof(mask) == CPU_WORDS * sizeof(uint64_t), "one bit a CPU in both");
        facts->cpu_count = (unsigned)CPU_COUNT(&mask);
        cpus_set((const uint64_t *)&mask);
    }
    facts->mem_total = boot.request.memory ? boot.request.memory : (uint64_t)info.totalram * info.mem_unit;
    if (boot.request.cpus)
        facts->cpu_count = MIN(facts->cpu_count, boot.request.cpus);
    return 0;
}
