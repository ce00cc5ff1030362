/* The auxiliary vector of a new program. */
#include "check.h"
#include <elf.h>
#include <sys/auxv.h>

int main(int argc, char **argv)
{
    CHECK(getauxval(AT_PAGESZ) == 4096);
    CHECK(getauxval(AT_CLKTCK) == 100);
    CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
    CHECK(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
    CHECK(getauxval(AT_SECURE) == 0);
    CHECK(getauxval(AT_ENTRY) != 0 && getauxval(AT_PHNUM) != 0 && getauxval(AT_PHDR) != 0);
    CHECK(getauxval(AT_PHENT) == sizeof(Elf64_Phdr));
    CHECK(getauxval(AT_RANDOM) != 0 && getauxval(AT_EXECFN) != 0);
    CHECK(strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
    CHECK(access((char *)getauxval(AT_EXECFN), X_OK) == 0);
    unsigned char zero[16] = {0};
    CHECK(memcmp((void *)getauxval(AT_RANDOM), zero, 16) != 0);
    CHECK(((uintptr_t)argv & 7) == 0);
    return 0;
}
