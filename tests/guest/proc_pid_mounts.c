/* /proc/PID/mounts and mountinfo: every line parses, the root is there, ids form a tree. */
#include "synth.h"
#include <mntent.h>

static int root_seen, proc_seen, ids[1000], count;

static void check_info(char *line)
{
    int id, parent, used;
    unsigned major, minor;
    char root[256], at[256], options[256];
    CHECK(sscanf(line, "%d %d %u:%u %255s %255s %255s%n", &id, &parent, &major, &minor, root, at, options, &used) == 7);
    CHECK(root[0] == '/' || strchr(root, ':'));
    CHECK(at[0] == '/' && (strncmp(options, "rw", 2) == 0 || strncmp(options, "ro", 2) == 0));
    char *dash = strstr(line + used - 1, " - ");
    char type[64], source[256], super[1024];
    CHECK(dash && sscanf(dash, " - %63s %255s %1023s", type, source, super) == 3);
    if (strcmp(at, "/proc") == 0)
        proc_seen += strcmp(type, "proc") == 0;
    root_seen += strcmp(at, "/") == 0;
    CHECK(count < 1000);
    ids[count++] = id;
}

int main(void)
{
    int entries = 0, root_there = 0;
    FILE *f = setmntent("/proc/mounts", "r");
    CHECK(f);
    for (struct mntent *m; (m = getmntent(f)); entries++) {
        CHECK(m->mnt_dir[0] == '/' && *m->mnt_type && *m->mnt_opts);
        root_there |= strcmp(m->mnt_dir, "/") == 0;
    }
    CHECK(entries >= 2 && root_there);
    endmntent(f);
    CHECK(each_line(slurp("/proc/self/mountinfo"), check_info) == entries);
    CHECK(root_seen >= 1 && proc_seen >= 1);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++)
            CHECK(ids[i] != ids[j]);
    return 0;
}
