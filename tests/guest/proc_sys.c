/* /proc/sys: the values programs look up; host name by file and by call. */
#include "synth.h"
#include <dirent.h>
#include <sys/utsname.h>

static int is_number(const char *path)
{
    char *text = slurp(path);
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && strcmp(text + digits, "\n") == 0;
}

int main(void)
{
    static const char *const numbers[] = {
        "kernel/pid_max", "kernel/threads-max", "kernel/cap_last_cap", "kernel/ngroups_max", "kernel/overflowuid",
        "kernel/overflowgid", "kernel/randomize_va_space", "kernel/shmmax", "kernel/shmall", "kernel/shmmni",
        "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/random/entropy_avail", "kernel/random/poolsize",
        "vm/overcommit_memory", "vm/overcommit_ratio", "vm/max_map_count", "vm/mmap_min_addr", "vm/swappiness",
        "fs/file-max", "fs/nr_open", "fs/pipe-max-size", "fs/inotify/max_user_watches",
        "fs/inotify/max_user_instances", "fs/inotify/max_queued_events", "fs/protected_hardlinks",
        "fs/protected_symlinks", "fs/aio-max-nr", "net/core/somaxconn",
    };
    char path[128], uuid[64];
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        snprintf(path, sizeof(path), "/proc/sys/%s", numbers[i]);
        CHECK(is_number(path));
    }
    struct utsname u;
    CHECK(uname(&u) == 0);
    char *text = slurp("/proc/sys/kernel/hostname");
    CHECK(strncmp(text, u.nodename, strlen(u.nodename)) == 0 && text[strlen(u.nodename)] == '\n');
    text = slurp("/proc/sys/kernel/osrelease");
    CHECK(strncmp(text, u.release, strlen(u.release)) == 0);
    CHECK(strcmp(slurp("/proc/sys/kernel/ostype"), "Linux\n") == 0);

    strcpy(uuid, slurp("/proc/sys/kernel/random/uuid"));
    unsigned a, b, c, d;
    unsigned long long e;
    CHECK(sscanf(uuid, "%8x-%4x-%4x-%4x-%12llx\n", &a, &b, &c, &d, &e) == 5 && strlen(uuid) == 37);
    CHECK((c & 0xf000) == 0x4000 && (d & 0xc000) == 0x8000);
    CHECK(strcmp(uuid, slurp("/proc/sys/kernel/random/uuid")) != 0);
    strcpy(uuid, slurp("/proc/sys/kernel/random/boot_id"));
    CHECK(strlen(uuid) == 37 && strcmp(uuid, slurp("/proc/sys/kernel/random/boot_id")) == 0);
    CHECK(sscanf(slurp("/proc/sys/kernel/sem"), "%u %u %u %u\n", &a, &b, &c, &d) == 4);
    CHECK(sscanf(slurp("/proc/sys/fs/file-nr"), "%u %u", &a, &b) == 2);
    CHECK(opendir("/proc/sys/kernel/random") && !opendir("/proc/sys/kernel/ostype"));
    CHECK_ERR(access("/proc/sys/kernel/no-such", F_OK), ENOENT);
    return 0;
}
