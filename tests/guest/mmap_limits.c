/* RLIMIT_AS and RLIMIT_DATA bound mappings and the heap. */
#include "mm_check.h"

#include <sys/resource.h>
static unsigned long statm_pages(void)
{
    unsigned long n = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f && fscanf(f, "%lu", &n) == 1);
    if (f)
        fclose(f);
    return n;
}

static void as_limit(void)
{
    unsigned long bytes = statm_pages() * PAGE + (64UL << 20);
    struct rlimit l = {bytes, bytes};
    CHECK(setrlimit(RLIMIT_AS, &l) == 0);
    CHECK_ERR(mmap(NULL, 128UL << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    char *p = mmap(NULL, 16UL << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK(mmap(p, 16UL << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    CHECK_ERR(mremap(p, 16UL << 20, 128UL << 20, MREMAP_MAYMOVE), ENOMEM);
}

static void data_limit(void)
{
    struct rlimit l = {32UL << 20, 32UL << 20};
    CHECK(setrlimit(RLIMIT_DATA, &l) == 0);
    CHECK_ERR(mmap(NULL, 64UL << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK(mmap(NULL, 64UL << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    CHECK(mmap(NULL, 64UL << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    CHECK_ERR((long)sbrk(64L << 20), ENOMEM);
}

int main(void)
{
    CHECK_CHILD_OK(as_limit);
    CHECK_CHILD_OK(data_limit);
    CHECK_EXIT();
}
