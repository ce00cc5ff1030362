/* A file of the root image: read through, changed in the sandbox, its number and open readers kept.
 */
#include "check.h"
#include <sys/mman.h>
#include <sys/stat.h>

/* Natively nothing outside the scratch directory is touched: the file stands in for the image's. */
int main(void)
{
    struct stat before, after;
    char a[64], b[64];
    const char *name =
        access("/proc/sys/kernel/osrelease", R_OK) == 0 ? "/etc/hostname" : "/etc/hostname";
    int inside = 0;
    FILE *r = fopen("/proc/sys/kernel/osrelease", "r");
    CHECK(r && fgets(a, sizeof a, r));
    inside = strstr(a, "picket") != NULL;
    if (!inside) {
        int fd = open("stand-in", O_CREAT | O_WRONLY, 0644);
        CHECK(fd >= 0 && write(fd, "host\n", 5) == 5);
        name = "stand-in";
    }
    int reader = open(name, O_RDONLY);
    CHECK(reader >= 0 && stat(name, &before) == 0);
    ssize_t n = pread(reader, a, sizeof a, 0);
    CHECK(n > 0);
    char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, reader, 0);
    CHECK(map != MAP_FAILED && !memcmp(map, a, (size_t)n));
    int writer = open(name, O_WRONLY | O_APPEND);
    CHECK(writer >= 0 && write(writer, "more", 4) == 4);
    CHECK(stat(name, &after) == 0 && after.st_ino == before.st_ino &&
          after.st_dev == before.st_dev);
    CHECK(after.st_size == before.st_size + 4 && after.st_mode == before.st_mode);
    CHECK(pread(reader, b, sizeof b, 0) == n + 4 && !memcmp(a, b, (size_t)n) &&
          !memcmp(b + n, "more", 4));
    CHECK(fstat(reader, &after) == 0 && after.st_size == before.st_size + 4);
    return 0;
}
