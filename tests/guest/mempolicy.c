/* mbind(2), set_mempolicy(2), get_mempolicy(2), migrate_pages(2), move_pages(2) on a machine with one node. */
#include "each.h"
#include <linux/mempolicy.h>
#include <sys/mman.h>

#define set_mempolicy(m, n, x) syscall(SYS_set_mempolicy, m, n, x)
#define get_mempolicy(m, n, x, a, f) syscall(SYS_get_mempolicy, m, n, x, a, f)
#define mbind(a, l, m, n, x, f) syscall(SYS_mbind, a, l, m, n, x, f)
#define move_pages(p, c, a, n, s, f) syscall(SYS_move_pages, p, c, a, n, s, f)
#define migrate_pages(p, x, o, n) syscall(SYS_migrate_pages, p, x, o, n)

static unsigned long none[32], one[32] = {1}, two[32] = {2};

static int mode_now(void)
{
    int mode = -1;
    CHECK(get_mempolicy(&mode, NULL, 0, NULL, 0) == 0);
    return mode;
}

static void task_policy(void)
{
    unsigned long mask[32];
    int mode;
    IS(mode_now(), MPOL_DEFAULT);
    FAILS(set_mempolicy(7, NULL, 0), EINVAL);
    FAILS(set_mempolicy(-1, NULL, 0), EINVAL);
    FAILS(set_mempolicy(MPOL_DEFAULT, one, 64), EINVAL);
    IS(set_mempolicy(MPOL_DEFAULT, none, 64), 0);
    FAILS(set_mempolicy(MPOL_BIND, NULL, 0), EINVAL);
    FAILS(set_mempolicy(MPOL_BIND, none, 64), EINVAL);
    FAILS(set_mempolicy(MPOL_BIND, two, 64), EINVAL);
    FAILS(set_mempolicy(MPOL_BIND, (void *)8, 64), EFAULT);
    FAILS(set_mempolicy(MPOL_BIND, one, 4096 * 8 + 2), EINVAL);
    FAILS(set_mempolicy(MPOL_INTERLEAVE, none, 64), EINVAL);
    FAILS(set_mempolicy(MPOL_LOCAL, one, 64), EINVAL);
    FAILS(set_mempolicy(MPOL_BIND | (1 << 15) | (1 << 14), one, 64), EINVAL);
    IS(set_mempolicy(MPOL_BIND, one, 64), 0);
    IS(mode_now(), MPOL_BIND);
    memset(mask, 0xff, sizeof(mask));
    IS(get_mempolicy(&mode, mask, 1024, NULL, 0), 0);
    IS(mask[0], 1);
    IS(mask[1], 0);
    IS(set_mempolicy(MPOL_BIND | (1 << 15), one, 64), 0);
    IS(mode_now(), MPOL_BIND | (1 << 15));
    IS(set_mempolicy(MPOL_PREFERRED, NULL, 0), 0);
    IS(mode_now(), MPOL_LOCAL);
    IS(set_mempolicy(MPOL_PREFERRED, one, 64), 0);
    IS(mode_now(), MPOL_PREFERRED);
    IS(set_mempolicy(MPOL_INTERLEAVE, one, 64), 0);
    IS(get_mempolicy(&mode, NULL, 0, NULL, MPOL_F_NODE), 0);
    IS(mode, 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(mode_now() == MPOL_INTERLEAVE ? 0 : 1);
    exits_with(pid, 0);
    IS(set_mempolicy(MPOL_DEFAULT, NULL, 0), 0);
    FAILS(get_mempolicy(&mode, NULL, 0, NULL, MPOL_F_NODE), EINVAL);
    FAILS(get_mempolicy(&mode, NULL, 0, NULL, 8), EINVAL);
    FAILS(get_mempolicy(&mode, NULL, 0, mask, 0), EINVAL);
    FAILS(get_mempolicy(&mode, NULL, 0, NULL, MPOL_F_ADDR), EFAULT);
    FAILS(get_mempolicy((void *)8, NULL, 0, NULL, 0), EFAULT);
    FAILS(get_mempolicy(NULL, mask, 0, NULL, 0), EINVAL);
    FAILS(get_mempolicy(NULL, NULL, 0, NULL, MPOL_F_MEMS_ALLOWED | MPOL_F_ADDR), EINVAL);
    IS(get_mempolicy(NULL, mask, 1024, NULL, MPOL_F_MEMS_ALLOWED), 0);
    IS(mask[0], 1);
}

static void area_policy(void)
{
    char *p = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int mode;
    IS(mbind(p, 0, MPOL_BIND, one, 64, 0), 0);
    IS(mbind(p + 4096, 4096, MPOL_BIND, one, 64, 0), 0);
    IS(get_mempolicy(&mode, NULL, 0, p + 4096, MPOL_F_ADDR), 0);
    IS(mode, MPOL_BIND);
    IS(get_mempolicy(&mode, NULL, 0, p, MPOL_F_ADDR), 0);
    IS(mode, MPOL_DEFAULT);
    IS(get_mempolicy(&mode, NULL, 0, p, MPOL_F_ADDR | MPOL_F_NODE), 0);
    IS(mode, 0);
    FAILS(mbind(p + 1, 4096, MPOL_BIND, one, 64, 0), EINVAL);
    FAILS(mbind(p, 4096, MPOL_BIND, two, 64, 0), EINVAL);
    FAILS(mbind(p, 4096, MPOL_BIND, one, 64, 8), EINVAL);
    FAILS(mbind(p, 4096, 99, one, 64, 0), EINVAL);
    FAILS(mbind(p, -4096UL, MPOL_BIND, one, 64, 0), EINVAL);
    IS(mbind(p, 8 * 4096, MPOL_DEFAULT, NULL, 0, 0), 0);
    IS(mbind(p, 8 * 4096, MPOL_BIND, one, 64, MPOL_MF_STRICT | MPOL_MF_MOVE), 0);
    munmap(p + 4096, 4096);
    FAILS(mbind(p, 8 * 4096, MPOL_BIND, one, 64, 0), EFAULT);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setuid(65533) == 0);
        FAILS(mbind(p, 4096, MPOL_BIND, one, 64, MPOL_MF_MOVE_ALL), EPERM);
        FAILS(move_pages(0, 0, NULL, NULL, NULL, MPOL_MF_MOVE_ALL), EPERM);
        FAILS(move_pages(1, 0, NULL, NULL, NULL, 0), EPERM);
        _exit(each_failed());
    }
    exits_with(pid, 0);
    munmap(p, 8 * 4096);
}

static void moving(void)
{
    char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *pages[4] = {p, p + 4096, p + 2 * 4096, (void *)4096};
    int status[4] = {9, 9, 9, 9}, nodes[4] = {0, 0, 0, 0}, bad[4] = {0, 77, 0, 0};
    p[0] = p[2 * 4096] = 1;
    IS(move_pages(0, 4, pages, NULL, status, 0), 0);
    IS(status[0], 0);
    IS(status[1], -ENOENT);
    IS(status[2], 0);
    IS(status[3], -EFAULT);
    IS(move_pages(0, 3, pages, nodes, status, MPOL_MF_MOVE), 0);
    IS(status[0], 0);
    IS(status[1], -ENOENT);
    FAILS(move_pages(0, 4, pages, bad, status, MPOL_MF_MOVE), ENODEV);
    FAILS(move_pages(0, 4, pages, NULL, status, 1), EINVAL);
    FAILS(move_pages(0x3ffffff, 4, pages, NULL, status, 0), ESRCH);
    FAILS(move_pages(0, 4, (void *)8, NULL, status, 0), EFAULT);
    IS(move_pages(0, 0, NULL, NULL, NULL, 0), 0);
    IS(migrate_pages(0, 64, one, one), 0);
    FAILS(migrate_pages(0x3ffffff, 64, one, one), ESRCH);
    FAILS(migrate_pages(0, 64, (void *)8, one), EFAULT);
    FAILS(migrate_pages(0, 4096 * 8 + 2, one, one), EINVAL);
    FAILS(migrate_pages(0, 64, one, two), EINVAL);
}

int main(void)
{
    task_policy();
    area_policy();
    moving();
    return each_failed();
}
