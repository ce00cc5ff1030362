/* The auxiliary vector. */
#include <elf.h>
#include <sys/auxv.h>
#include "mm_check.h"

int main(int argc, char **argv)
{
    CHECK(getauxval(AT_PAGESZ) == PAGE);
    CHECK(getauxval(AT_CLKTCK) == (unsigned long)sysconf(_SC_CLK_TCK));
    CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
    CHECK(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
    CHECK(getauxval(AT_SECURE) == 0 && getauxval(AT_FLAGS) == 0);
    CHECK(strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
    CHECK(strcmp((char *)getauxval(AT_EXECFN), argv[0]) == 0);
    CHECK(getauxval(AT_HWCAP) != 0);
    CHECK(getauxval(AT_PHENT) == sizeof(Elf64_Phdr));
    const Elf64_Phdr *ph = (void *)getauxval(AT_PHDR);
    int loads = 0;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
        loads += ph[i].p_type == PT_LOAD;
    CHECK(loads >= 2);
    unsigned long s, e, entry = getauxval(AT_ENTRY);
    char perms[5];
    CHECK(maps_line((void *)entry, &s, &e, perms, NULL) && perms[2] == 'x');
    const unsigned char *rnd = (void *)getauxval(AT_RANDOM);
    int zero = 1;
    for (int i = 0; i < 16; i++)
        zero &= rnd[i] == 0;
    CHECK(!zero);
    /* argv, envp and the vector lie in a row; the strings above them. */
    CHECK((char **)environ == argv + argc + 1);
    char **p = environ;
    while (*p)
        p++;
    Elf64_auxv_t *aux = (void *)(p + 1), proc[64];
    int fd = open("/proc/self/auxv", O_RDONLY);
    ssize_t n = read(fd, proc, sizeof(proc));
    CHECK(n > 0 && memcmp(proc, aux, (size_t)n) == 0);
    CHECK(argv[0] > (char *)aux && (!environ[0] || argv[0] < environ[0]));
    CHECK(((uintptr_t)(argv - 1) & 15) == 0);
    CHECK_EXIT();
}
