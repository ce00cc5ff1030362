/*
 * remap_file_pages(2): as Linux has done it since 4.0, by a new mapping of the other part of the file over the old one.
 */
#include "base/cleanup.h"
#include "kernel/task.h"
#include "mm/area.h"
#include "vfs/file.h"
#include <sys/mman.h>

/* The file whose shared mapping covers the range without a gap, referenced. */
static int file_of_range(struct mm *mm, uaddr_t start, uaddr_t end, struct file **ret, int *ret_prot)
{
    MUTEX_GUARD(&mm->lock);
    struct area *first = mm_find_area(mm, start);
    if (!first || area_is_private(first) || !first->file)
        return -EINVAL;
    for (struct area *a = first; a && a->end < end; a = area_next(a)) {
        struct area *next = area_next(a);
        if (!next || next->start != a->end || next->file != first->file || next->flags != first->flags ||
            next->prot != first->prot)
            return -EINVAL;
    }
    *ret = file_get(first->file);
    *ret_prot = first->prot;
    return 0;
}

int64_t do_remap_file_pages(uaddr_t start, uint64_t len, int prot, uint64_t page, int flags)
{
    CLEANUP_FILE struct file *file = NULL;
    if (prot)
        return -EINVAL;
    start = align_down(start, PAGE_SIZE);
    len = align_down(len, PAGE_SIZE);
    if (start + len <= start || page + (len >> PAGE_SHIFT) < page || page > INT64_MAX >> PAGE_SHIFT)
        return -EINVAL;
    int err = file_of_range(current->mm, start, start + len, &file, &prot);
    if (err < 0)
        return err;
    int64_t ret = do_mmap(start, len, prot, MAP_SHARED | MAP_FIXED | MAP_POPULATE | (flags & MAP_NONBLOCK), file,
                          page << PAGE_SHIFT);
    return ret < 0 ? ret : 0;
}
