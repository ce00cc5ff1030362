/* OCI's mount options: words that are flags, propagation, or the file system's own. */
#pragma once
#include "base/base.h"

struct mount_options {
    unsigned flags;       /* MS_RDONLY, MS_NOSUID ... */
    unsigned given;       /* which flags a word has set or cleared */
    bool bind, recursive; /* "bind", "rbind" */
    bool copy_up;         /* "tmpcopyup": what is there already is copied into it */
    unsigned propagation; /* MS_PRIVATE ..., or 0 */
    bool propagation_recursive;
    char *data;           /* what is left, joined by commas; NULL: nothing */
};

/* 0 or -ENOMEM. */
NODISCARD int mount_options_parse(char *const *words, struct mount_options *ret);
void mount_options_free(struct mount_options *o);
/* "rprivate" and its like: true and MS_PRIVATE ... */
bool mount_propagation_word(const char *word, unsigned *ret_type, bool *ret_recursive);
