/* Code written to memory runs; memory without PROT_EXEC does not. */
#include "mm_check.h"

static char *code;
static void run_it(void)
{
    ((int (*)(void))code)();
}

int main(void)
{
    static const unsigned char ret42[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
    code = map_anon(PAGE, PROT_READ | PROT_WRITE);
    memcpy(code, ret42, sizeof(ret42));
    CHECK_CHILD_DIES(run_it, SIGSEGV);
    CHECK(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0);
    CHECK(((int (*)(void))code)() == 42);
    int fd = scratch_file("code", 0);
    CHECK(write(fd, ret42, sizeof(ret42)) == sizeof(ret42));
    code = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    CHECK(code != MAP_FAILED && ((int (*)(void))code)() == 42);
    CHECK(mprotect(code, PAGE, PROT_READ | PROT_WRITE) == 0);
    code[1] = 43;
    CHECK(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0);
    CHECK(((int (*)(void))code)() == 43);
    CHECK_EXIT();
}
