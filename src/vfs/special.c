/* The registry of device numbers: see vfs/special.h. */
#include "vfs/special.h"
#include <sys/sysmacros.h>

struct device_range {
    uint32_t type;
    unsigned major, first, count;
    const struct file_ops *ops;
};

#define RANGES_MAX 64
static struct device_range ranges[RANGES_MAX]; /* filled at boot, then constant */
static unsigned range_count;
static const struct file_ops *fifo_ops;

void special_register(uint32_t type, unsigned major, unsigned first_minor, unsigned minors,
                      const struct file_ops *ops)
{
    assert_always(range_count < RANGES_MAX);
    ranges[range_count++] = (struct device_range){type, major, first_minor, minors, ops};
}

void fifo_register(const struct file_ops *ops)
{
    fifo_ops = ops;
}

static const struct file_ops *device_ops(uint32_t type, uint64_t rdev)
{
    for (const struct device_range *r = ranges; r < ranges + range_count; r++)
        if (r->type == type && r->major == major(rdev) && minor(rdev) - r->first < r->count)
            return r->ops;
    return NULL;
}

int special_file_ops(const struct inode *inode, const struct file_ops **ret)
{
    uint32_t type = inode->attr.mode & S_IFMT;
    const struct file_ops *ops = NULL;
    if (type == S_IFCHR || type == S_IFBLK)
        ops = inode->file_ops ? inode->file_ops : device_ops(type, inode->attr.rdev);
    else if (type == S_IFIFO)
        ops = inode->file_ops ? inode->file_ops : fifo_ops;
    if (!ops)
        return -ENXIO;
    *ret = ops;
    return 0;
}
