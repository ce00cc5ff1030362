/*
 * File system contexts: what fsopen(2) and fspick(2) give, fsconfig(2) fills, and fsmount(2) makes a
 * mount of.
 *
 * A context gathers parameters as text, "key=value,flag", and hands them to the file system type as
 * mount(2) would, in one go: so a wrong one is noticed by FSCONFIG_CMD_CREATE, not when it is set.
 */
#pragma once
#include "base/base.h"

struct file;
struct path;
struct super_block;

NODISCARD int fs_config_new(const char *type, struct file **ret); /* -ENODEV */
/* For changing what is mounted there. */
NODISCARD int fs_config_pick(const struct path *at, struct file **ret);
/* fsconfig(2), decoded; value NULL for a flag. -EINVAL: `file` is no context. */
NODISCARD int fs_config_set(struct file *file, const char *key, const char *value);
NODISCARD int fs_config_command(struct file *file, unsigned command);
/* fsmount(2): the super block, once it has been made; a reference. */
NODISCARD int fs_config_take(struct file *file, struct super_block **ret);
bool is_fs_config(const struct file *file);
