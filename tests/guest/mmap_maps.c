/* /proc/self/maps: areas merge and split as mappings change; names and permissions. */
#include "mm_check.h"

int main(void)
{
    unsigned long s, e;
    char perms[5], name[300];
    char *guard = map_anon(12 * PAGE, PROT_NONE), *p = guard + 2 * PAGE;
    CHECK(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(maps_line(p, &s, &e, perms, name) && s == (unsigned long)p && e - s == 4 * PAGE && !strcmp(perms, "rw-p"));
    CHECK(name[0] == 0);
    CHECK(mprotect(p + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0); /* joins */
    CHECK(maps_line(p, &s, &e, perms, NULL) && e - s == 5 * PAGE);
    CHECK(mprotect(p + 2 * PAGE, PAGE, PROT_READ) == 0); /* splits */
    CHECK(maps_line(p, &s, &e, perms, NULL) && e - s == 2 * PAGE);
    CHECK(maps_line(p + 2 * PAGE, &s, &e, perms, NULL) && e - s == PAGE && !strcmp(perms, "r--p"));
    CHECK(munmap(p + 2 * PAGE, PAGE) == 0);
    CHECK(!maps_line(p + 2 * PAGE, &s, &e, perms, NULL));
    char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(maps_line(shared, &s, &e, perms, name) && !strcmp(perms, "r--s") && !strcmp(name, "/dev/zero (deleted)"));
    int fd = scratch_file("file name", 2 * PAGE);
    char cwd[400], want[512];
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    snprintf(want, sizeof(want), "%s/file name", cwd);
    char *f = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, PAGE);
    CHECK(maps_line(f, &s, &e, perms, name) && !strcmp(perms, "r-xp") && !strcmp(name, want));
    unlink("file name");
    strcat(want, " (deleted)");
    CHECK(maps_line(f, &s, &e, perms, name) && !strcmp(name, want));
    int local;
    CHECK(maps_line(&local, &s, &e, perms, name) && !strcmp(name, "[stack]"));
    free(malloc(100));
    sbrk(PAGE);
    CHECK(maps_line((char *)sbrk(0) - 1, &s, &e, perms, name) && !strcmp(name, "[heap]"));
    CHECK_EXIT();
}
