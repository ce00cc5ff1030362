/* See mount_options.h: two tables and a loop. */
#include "control/mount_options.h"
#include "base/strbuf.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

static const struct {
    const char *word;
    unsigned set, clear;
} flag_words[] = {
    {"defaults", 0, 0},
    {"ro", MS_RDONLY, 0},
    {"rro", MS_RDONLY, 0},
    {"rw", 0, MS_RDONLY},
    {"rrw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},
    {"rnosuid", MS_NOSUID, 0},
    {"suid", 0, MS_NOSUID},
    {"rsuid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},
    {"rnodev", MS_NODEV, 0},
    {"dev", 0, MS_NODEV},
    {"rdev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},
    {"rnoexec", MS_NOEXEC, 0},
    {"exec", 0, MS_NOEXEC},
    {"rexec", 0, MS_NOEXEC},
    {"noatime", MS_NOATIME, MS_STRICTATIME},
    {"rnoatime", MS_NOATIME, MS_STRICTATIME},
    {"atime", 0, MS_NOATIME},
    {"ratime", 0, MS_NOATIME},
    {"nodiratime", MS_NODIRATIME, 0},
    {"rnodiratime", MS_NODIRATIME, 0},
    {"diratime", 0, MS_NODIRATIME},
    {"rdiratime", 0, MS_NODIRATIME},
    {"relatime", MS_RELATIME, MS_STRICTATIME | MS_NOATIME},
    {"rrelatime", MS_RELATIME, MS_STRICTATIME | MS_NOATIME},
    {"norelatime", 0, MS_RELATIME},
    {"rnorelatime", 0, MS_RELATIME},
    {"strictatime", MS_STRICTATIME, MS_NOATIME | MS_RELATIME},
    {"rstrictatime", MS_STRICTATIME, MS_NOATIME | MS_RELATIME},
    {"nostrictatime", 0, MS_STRICTATIME},
    {"rnostrictatime", 0, MS_STRICTATIME},
    /* About when bytes reach a disk, and what is logged: nothing here depends on it. */
    {"sync", 0, 0},
    {"async", 0, 0},
    {"dirsync", 0, 0},
    {"mand", 0, 0},
    {"nomand", 0, 0},
    {"lazytime", 0, 0},
    {"nolazytime", 0, 0},
    {"iversion", 0, 0},
    {"noiversion", 0, 0},
    {"silent", 0, 0},
    {"loud", 0, 0},
    {"nofail", 0, 0},
};

static const struct {
    const char *word;
    unsigned type;
} propagation_words[] = {
    {"private", MS_PRIVATE},
    {"shared", MS_SHARED},
    {"slave", MS_SLAVE},
    {"unbindable", MS_UNBINDABLE},
};

bool mount_propagation_word(const char *word, unsigned *ret_type, bool *ret_recursive)
{
    bool recursive = *word == 'r';
    for (size_t i = 0; i < ARRAY_SIZE(propagation_words); i++) {
        if (strcmp(word + recursive, propagation_words[i].word) == 0) {
            *ret_type = propagation_words[i].type;
            *ret_recursive = recursive;
            return true;
        }
    }
    return false;
}

static bool take_flag(struct mount_options *o, const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++) {
        if (strcmp(word, flag_words[i].word) == 0) {
            o->flags = (o->flags & ~flag_words[i].clear) | flag_words[i].set;
            o->given |= flag_words[i].set | flag_words[i].clear;
            return true;
        }
    }
    return false;
}

static bool take_special(struct mount_options *o, const char *word)
{
    if (strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0) {
        o->bind = true;
        o->recursive = *word == 'r';
        return true;
    }
    if (strcmp(word, "tmpcopyup") == 0)
        return o->copy_up = true;
    return mount_propagation_word(word, &o->propagation, &o->propagation_recursive);
}

int mount_options_parse(char *const *words, struct mount_options *ret)
{
    struct strbuf data = STRBUF_INIT;
    *ret = (struct mount_options){0};
    for (char *const *w = words; w && *w; w++) {
        if (take_flag(ret, *w) || take_special(ret, *w))
            continue;
        strbuf_puts(&data, data.len ? "," : "");
        strbuf_puts(&data, *w);
    }
    if (data.failed) {
        strbuf_free(&data);
        return -ENOMEM;
    }
    ret->data = data.len ? strbuf_take(&data) : NULL;
    if (!ret->data)
        strbuf_free(&data);
    return 0;
}

void mount_options_free(struct mount_options *o)
{
    free(o->data);
    o->data = NULL;
}
