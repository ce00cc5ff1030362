/*
 * overlay against a plain tmpfs: both begin with the same tree (for the overlay it is the lower
 * layer), then the same random operations run on both. Every result must be the same, and the trees
 * at the end: names, types, sizes, contents.
 */
#include "vfs_trees.h"

static struct super_block *new_tmpfs(void)
{
    struct super_block *sb;
    check(tmpfs_new("layer", &(struct tmpfs_options){.mode = 0755}, &sb) == 0);
    return sb;
}

static void one_run(unsigned rounds)
{
    struct super_block *lower = new_tmpfs(), *upper = new_tmpfs(), *plain = new_tmpfs(), *over;
    struct path at;
    check(vfs_mkdir_at(AT_FDCWD, "/lower", 0755) == 0 && vfs_mkdir_at(AT_FDCWD, "/x", 0755) == 0);
    check(vfs_mkdir_at(AT_FDCWD, "/y", 0755) == 0);
    sb_get(lower);
    mount_on(lower, "/lower");
    fill("/lower");
    check(overlay_new(lower, upper, "test", &over) == 0);
    sb_put(lower);
    sb_put(upper);
    mount_on(over, "/x");
    mount_on(plain, "/y");
    fill("/y");
    run_both("/x", "/y", rounds);
    static const char *const tops[] = {"/x", "/y", "/lower"};
    for (unsigned i = 0; i < 3; i++) {
        check(path_lookup(AT_FDCWD, tops[i], 0, &at) == 0);
        check(do_umount(&at, 2) == 0); /* MNT_DETACH */
        check(vfs_rmdir_at(AT_FDCWD, tops[i]) == 0);
    }
}

static void body(void)
{
    for (unsigned i = 0; i < 20; i++)
        one_run(400);
}

int main(void)
{
    return run_vfs_test(body);
}
