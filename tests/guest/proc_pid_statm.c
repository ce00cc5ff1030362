/* /proc/PID/statm: seven numbers of pages; the size follows mmap. */
#include "synth.h"
#include <sys/mman.h>

static unsigned long size(void)
{
    unsigned long f[7];
    char end;
    CHECK(sscanf(slurp("/proc/self/statm"), "%lu %lu %lu %lu %lu %lu %lu%c", &f[0], &f[1], &f[2], &f[3], &f[4], &f[5],
                 &f[6], &end) == 8 && end == '\n');
    CHECK(f[0] >= f[1] && f[4] == 0 && f[6] == 0);
    return f[0];
}

int main(void)
{
    unsigned long before = size();
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED && size() == before + 256);
    CHECK(munmap(p, 1 << 20) == 0 && size() == before);
    return 0;
}
