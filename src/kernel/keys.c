/* Keys as objects: made, found, allowed, linked. See keys.h. */
#include "kernel/keys.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include "mm/mm.h"
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_MAX 4096 /* links of one keyring */
#define DEPTH_MAX 6
#define QUOTA_KEYS 200
#define QUOTA_BYTES 20000
#define ROOT_QUOTA_KEYS 1000000
#define ROOT_QUOTA_BYTES 25000000

#define PERM_POSSESSOR(p) ((uint32_t)(p) << 24)
#define PERM_USER(p) ((uint32_t)(p) << 16)
#define PERM_ALL 0x3fu

struct mutex keys_lock = MUTEX_INIT(keys_lock);

static struct rb_root keys; /* by serial */

static const char *const type_names[] = {
    [KEY_TYPE_KEYRING] = "keyring", [KEY_TYPE_USER] = "user", [KEY_TYPE_LOGON] = "logon"};

int key_type_by_name(const char *name, enum key_type *ret)
{
    for (unsigned t = 0; t < KEY_TYPES; t++)
        if (!strcmp(name, type_names[t])) {
            *ret = (enum key_type)t;
            return 0;
        }
    return -ENODEV;
}

const char *key_type_name(enum key_type t)
{
    return type_names[t];
}

/* ---- quotas ---- */

struct key_user {
    struct list link;
    uint32_t uid;
    uint64_t count, bytes;
    struct key *keyring, *session; /* references, made on demand */
};

static struct list users = LIST_INIT(users);

static struct key_user *user_of(uint32_t uid)
{
    struct key_user *u;
    list_for_each (u, &users, link)
        if (u->uid == uid)
            return u;
    u = calloc(1, sizeof(*u));
    if (!u)
        return NULL;
    u->uid = uid;
    list_add(&users, &u->link);
    return u;
}

static int charge(struct key *k, uint64_t bytes)
{
    struct key_user *u = user_of(k->payer);
    bool root = k->payer == 0, fresh = k->charged == 0;
    if (!u)
        return -ENOMEM;
    if (u->count + fresh > (root ? ROOT_QUOTA_KEYS : QUOTA_KEYS) ||
        u->bytes - k->charged + bytes > (root ? ROOT_QUOTA_BYTES : QUOTA_BYTES))
        return -EDQUOT;
    u->count += fresh;
    u->bytes += bytes - k->charged;
    k->charged = bytes;
    return 0;
}

static void uncharge(struct key *k)
{
    struct key_user *u = k->charged ? user_of(k->payer) : NULL;
    if (!u)
        return;
    u->count--;
    u->bytes -= k->charged;
}

/* ---- life ---- */

static struct key *find_serial(int32_t serial)
{
    for (struct rb_node *n = keys.node; n;) {
        struct key *k = rb_entry(n, struct key, node);
        if (k->serial == serial)
            return k;
        n = serial < k->serial ? n->left : n->right;
    }
    return NULL;
}

static void insert(struct key *k)
{
    struct rb_node **link = &keys.node, *parent = NULL;
    do {
        mm_random_bytes(&k->serial, sizeof(k->serial));
        k->serial &= INT32_MAX;
    } while (k->serial < 3 || find_serial(k->serial));
    while (*link) {
        parent = *link;
        link = k->serial < rb_entry(parent, struct key, node)->serial ? &parent->left : &parent->right;
    }
    rb_insert(&keys, &k->node, parent, link);
}

int key_new(enum key_type type, const char *desc, uint32_t perm, void *payload, size_t len, struct key **ret)
{
    struct key *k = calloc(1, sizeof(*k));
    if (k)
        k->desc = strdup(desc);
    if (!k || !k->desc) {
        free(k);
        return -ENOMEM;
    }
    refcount_init(&k->ref);
    k->type = type;
    k->uid = k->payer = current_cred()->fsuid;
    k->gid = current_cred()->fsgid;
    k->perm = perm;
    int err = charge(k, strlen(desc) + 1 + len);
    if (err < 0) {
        free(k->desc);
        free(k);
        return err;
    }
    k->payload = payload;
    k->len = len;
    insert(k);
    *ret = k;
    return 0;
}

struct key *key_get(struct key *k)
{
    refcount_get(&k->ref);
    return k;
}

void key_put(struct key *k)
{
    if (!k || !refcount_put(&k->ref))
        return;
    keyring_clear(k);
    uncharge(k);
    rb_erase(&keys, &k->node);
    free(k->payload);
    free(k->desc);
    free(k);
}

int key_set_payload(struct key *k, void *payload, size_t len)
{
    int err = charge(k, strlen(k->desc) + 1 + len);
    if (err < 0)
        return err;
    free(k->payload);
    k->payload = payload;
    k->len = len;
    k->expires = 0;
    return 0;
}

int key_validate(const struct key *k)
{
    if (k->invalid)
        return -ENOKEY;
    if (k->revoked)
        return -EKEYREVOKED;
    return k->expires && now_realtime() >= k->expires ? -EKEYEXPIRED : 0;
}

/* ---- permission ---- */

static bool reaches(const struct key *ring, const struct key *k, int depth)
{
    if (ring == k)
        return true;
    if (!ring || ring->type != KEY_TYPE_KEYRING || depth == 0)
        return false;
    for (size_t i = 0; i < ring->link_count; i++)
        if (reaches(ring->links[i], k, depth - 1))
            return true;
    return false;
}

/* Can it be found from the caller's own keyrings? */
static bool possessed(const struct key *k)
{
    struct task *t = current;
    const struct key_user *u = t->key_session ? NULL : user_of(t->cred->uid);
    return reaches(t->key_thread, k, DEPTH_MAX) || reaches(t->process->key_process, k, DEPTH_MAX) ||
           reaches(t->key_session, k, DEPTH_MAX) || (u && reaches(u->session, k, DEPTH_MAX));
}

bool key_allowed(struct key *k, unsigned need)
{
    const struct cred *c = current_cred();
    uint32_t granted = k->perm;
    if (k->uid == c->fsuid)
        granted = k->perm >> 16;
    else if (k->perm & 0x3f00 && cred_in_group(c, k->gid))
        granted = k->perm >> 8;
    if (possessed(k))
        granted |= k->perm >> 24;
    return (granted & need) == need;
}

/* ---- keyrings ---- */

void keyring_clear(struct key *ring)
{
    size_t n = ring->link_count;
    struct key **links = ring->links;
    ring->links = NULL;
    ring->link_count = 0;
    for (size_t i = 0; i < n; i++)
        key_put(links[i]);
    free(links);
}

static size_t index_of(const struct key *ring, enum key_type type, const char *desc)
{
    size_t i = 0;
    while (i < ring->link_count && (ring->links[i]->type != type || strcmp(ring->links[i]->desc, desc)))
        i++;
    return i;
}

struct key *keyring_find(struct key *ring, enum key_type type, const char *desc)
{
    size_t i = index_of(ring, type, desc);
    return i < ring->link_count ? ring->links[i] : NULL;
}

int keyring_link(struct key *ring, struct key *k)
{
    if (ring->type != KEY_TYPE_KEYRING)
        return -ENOTDIR;
    if (k->type == KEY_TYPE_KEYRING && reaches(k, ring, DEPTH_MAX + 1))
        return -EDEADLK;
    size_t at = index_of(ring, k->type, k->desc);
    if (at == ring->link_count) {
        struct key **more =
            at < RING_MAX ? reallocarray(ring->links, at + 1, sizeof(struct key *)) : NULL;
        if (!more)
            return at < RING_MAX ? -ENOMEM : -ENFILE;
        ring->links = more;
        ring->link_count++;
        ring->links[at] = NULL;
    }
    struct key *old = ring->links[at];
    ring->links[at] = key_get(k);
    key_put(old);
    return 0;
}

int keyring_unlink(struct key *ring, struct key *k)
{
    if (ring->type != KEY_TYPE_KEYRING)
        return -ENOTDIR;
    for (size_t i = 0; i < ring->link_count; i++) {
        if (ring->links[i] != k)
            continue;
        memmove(&ring->links[i], &ring->links[i + 1], (--ring->link_count - i) * sizeof(struct key *));
        key_put(k);
        return 0;
    }
    return -ENOENT;
}

void key_forget_everywhere(struct key *k)
{
    key_get(k);
    for (struct rb_node *n = rb_first(&keys); n; n = rb_next(n))
        (void)!keyring_unlink(rb_entry(n, struct key, node), k);
    key_put(k);
}

/* The first match, breadth last: what is wrong with a match is remembered, in case there is no better one. */
static int search_at(struct key *ring, enum key_type type, const char *desc, int depth, struct key **ret)
{
    int err = -ENOKEY;
    struct key *k = keyring_find(ring, type, desc);
    if (k) {
        err = key_validate(k);
        if (err == 0)
            err = key_allowed(k, KEY_SEARCH) ? 0 : -EACCES;
        if (err == 0) {
            *ret = key_get(k);
            return 0;
        }
    }
    for (size_t i = 0; i < ring->link_count && depth > 0; i++) {
        struct key *sub = ring->links[i];
        if (sub->type != KEY_TYPE_KEYRING || key_validate(sub) < 0 || !key_allowed(sub, KEY_SEARCH))
            continue;
        int sub_err = search_at(sub, type, desc, depth - 1, ret);
        if (sub_err == 0)
            return 0;
        err = err == -ENOKEY ? sub_err : err;
    }
    return err;
}

int keyring_search(struct key *ring, enum key_type type, const char *desc, struct key **ret)
{
    if (ring->type != KEY_TYPE_KEYRING)
        return -ENOTDIR;
    return search_at(ring, type, desc, DEPTH_MAX, ret);
}

/* ---- the caller's keyrings ---- */

static int ring_new(const char *name, uint32_t perm, struct key **ret)
{
    return key_new(KEY_TYPE_KEYRING, name, perm, NULL, 0, ret);
}

static int make_user_rings(struct key_user **ret)
{
    char name[32];
    struct key_user *u = user_of(current_cred()->uid);
    const uint32_t perm = PERM_POSSESSOR(PERM_ALL & ~KEY_SETATTR) | PERM_USER(PERM_ALL);
    int err = u ? 0 : -ENOMEM;
    if (err == 0 && !u->keyring) {
        snprintf(name, sizeof(name), "_uid.%u", u->uid);
        err = ring_new(name, perm, &u->keyring);
    }
    if (err == 0 && !u->session) {
        snprintf(name, sizeof(name), "_uid_ses.%u", u->uid);
        err = ring_new(name, perm, &u->session);
        if (err == 0) {
            u->session->of_user = true;
            u->session->gid = u->keyring->gid = OVERFLOW_ID; /* nobody's */
            err = keyring_link(u->session, u->keyring);
        }
    }
    *ret = u;
    return err;
}

static void set_session(struct key *k)
{
    struct task *t = current;
    struct key *old = t->key_session;
    t->key_session = k;
    key_put(old);
}

static struct key *find_named_ring(const char *name)
{
    for (struct rb_node *n = rb_first(&keys); n; n = rb_next(n)) {
        struct key *k = rb_entry(n, struct key, node);
        if (k->type == KEY_TYPE_KEYRING && !strcmp(k->desc, name) && !k->revoked && key_allowed(k, KEY_SEARCH))
            return key_get(k);
    }
    return NULL;
}

int64_t keys_join_session(const char *name)
{
    struct key *k = name ? find_named_ring(name) : NULL;
    const uint32_t perm = PERM_POSSESSOR(PERM_ALL) | PERM_USER(KEY_VIEW | KEY_READ | (name ? KEY_LINK : 0));
    int err = k ? 0 : ring_new(name ? name : "_ses", perm, &k);
    if (err < 0)
        return err;
    int32_t serial = k->serial;
    set_session(k);
    return serial;
}

static int session_ring(bool create, struct key **ret)
{
    struct task *t = current;
    struct key_user *u;
    int err = 0;
    bool users_own = !t->key_session || t->key_session->of_user;
    if (users_own && create) {
        int64_t joined = keys_join_session(NULL);
        err = joined < 0 ? (int)joined : 0;
    } else if (!t->key_session) {
        err = make_user_rings(&u);
        if (err == 0)
            set_session(key_get(u->session));
    }
    if (err == 0)
        *ret = key_get(t->key_session);
    return err;
}

static int own_ring(struct key **slot, const char *name, bool create, struct key **ret)
{
    int err = 0;
    if (!*slot && !create)
        return -ENOKEY;
    if (!*slot)
        err = ring_new(name, PERM_POSSESSOR(PERM_ALL) | PERM_USER(KEY_VIEW), slot);
    if (err == 0)
        *ret = key_get(*slot);
    return err;
}

static int special(int32_t id, bool create, struct key **ret)
{
    struct task *t = current;
    struct key_user *u;
    int err;
    switch (id) {
    case KEY_SPEC_THREAD_KEYRING:
        return own_ring(&t->key_thread, "_tid", create, ret);
    case KEY_SPEC_PROCESS_KEYRING:
        return own_ring(&t->process->key_process, "_pid", create, ret);
    case KEY_SPEC_SESSION_KEYRING:
        return session_ring(create, ret);
    case KEY_SPEC_USER_KEYRING:
    case KEY_SPEC_USER_SESSION_KEYRING:
        err = make_user_rings(&u);
        if (err == 0)
            *ret = key_get(id == KEY_SPEC_USER_KEYRING ? u->keyring : u->session);
        return err;
    case KEY_SPEC_REQKEY_AUTH_KEY:
    case KEY_SPEC_REQUESTOR_KEYRING:
        return -ENOKEY;
    default:
        return -EINVAL;
    }
}

int key_lookup(int32_t id, bool create, bool partial, unsigned need, struct key **ret)
{
    struct key *k = NULL;
    int err = 0;
    if (id > 0) {
        k = find_serial(id);
        if (k)
            key_get(k);
        else
            err = -ENOKEY;
    } else {
        err = special(id, create, &k);
    }
    if (err < 0)
        return err;
    if (k->invalid || !partial)
        err = key_validate(k);
    if (err == 0 && need && !key_allowed(k, need))
        err = -EACCES;
    if (err < 0)
        key_put(k);
    else
        *ret = k;
    return err;
}

/* As Linux combines its answers: one keyring without such a key outweighs another with one that is no good, and what
 * has expired counts as absent. */
struct process_search {
    enum key_type type;
    const char *desc;
    struct key *found; /* reference */
    int err;
    bool absent;
};

static void search_in(struct process_search *s, struct key *ring)
{
    if (!ring || s->found)
        return;
    int err = keyring_search(ring, s->type, s->desc, &s->found);
    s->absent |= err == -ENOKEY || err == -EKEYEXPIRED;
    s->err = err;
}

int keys_search_process(enum key_type type, const char *desc, struct key **ret)
{
    struct task *t = current;
    struct key_user *u = t->key_session ? NULL : user_of(t->cred->uid);
    struct process_search s = {.type = type, .desc = desc, .err = -ENOKEY};
    search_in(&s, t->key_thread);
    search_in(&s, t->process->key_process);
    search_in(&s, t->key_session ? t->key_session : u ? u->session : NULL);
    if (!s.found)
        return s.absent ? -ENOKEY : s.err;
    *ret = s.found;
    return 0;
}

/* ---- /proc ---- */

static void show_expiry(const struct key *k, struct strbuf *out)
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {{7 * 86400, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int64_t left = (k->expires - now_realtime()) / NSEC_PER_SEC;
    size_t i = 0;
    if (!k->expires || key_validate(k) == -EKEYEXPIRED) {
        strbuf_puts(out, k->expires ? "expd " : "perm ");
        return;
    }
    while (i < ARRAY_SIZE(units) - 1 && left < units[i].seconds)
        i++;
    strbuf_printf(out, "%3lld%c ", (long long)(left / units[i].seconds), units[i].unit);
}

static void show_key(const struct key *k, struct strbuf *out)
{
    strbuf_printf(out, "%08x I%c-%c--%c %5u ", (unsigned)k->serial, k->revoked ? 'R' : '-', k->charged ? 'Q' : '-',
                  k->invalid ? 'i' : '-', refcount_read(&k->ref));
    show_expiry(k, out);
    strbuf_printf(out, "%08x %5d %5d %-9.9s %s", k->perm, (int)uid_to_user(k->uid),
                  k->gid == OVERFLOW_ID ? -1 : (int)gid_to_user(k->gid), key_type_name(k->type), k->desc);
    if (k->type == KEY_TYPE_USER)
        strbuf_printf(out, ": %zu", k->len);
    else if (k->type == KEY_TYPE_KEYRING && k->link_count)
        strbuf_printf(out, ": %zu", k->link_count);
    else if (k->type == KEY_TYPE_KEYRING)
        strbuf_puts(out, ": empty");
    strbuf_putc(out, '\n');
}

void keys_show(struct strbuf *out)
{
    MUTEX_GUARD(&keys_lock);
    for (struct rb_node *n = rb_first(&keys); n; n = rb_next(n))
        if (key_allowed(rb_entry(n, struct key, node), KEY_VIEW))
            show_key(rb_entry(n, struct key, node), out);
}

void key_users_show(struct strbuf *out)
{
    struct key_user *u;
    MUTEX_GUARD(&keys_lock);
    list_for_each (u, &users, link) {
        bool root = u->uid == 0;
        unsigned long long n = u->count;
        strbuf_printf(out, "%5u: %5llu %llu/%llu %llu/%d %llu/%d\n", uid_to_user(u->uid), n + 1, n, n, n,
                      root ? ROOT_QUOTA_KEYS : QUOTA_KEYS, (unsigned long long)u->bytes,
                      root ? ROOT_QUOTA_BYTES : QUOTA_BYTES);
    }
}

/* ---- life of tasks ---- */

void keys_fork(struct task *child, struct task *from)
{
    child->key_default = from->key_default;
    if (!from->key_session)
        return;
    MUTEX_GUARD(&keys_lock);
    child->key_session = key_get(from->key_session);
}

static void drop(struct key **slot)
{
    if (!*slot)
        return;
    MUTEX_GUARD(&keys_lock);
    struct key *k = *slot;
    *slot = NULL;
    key_put(k);
}

void keys_exec(struct task *t)
{
    drop(&t->key_thread);
    drop(&t->process->key_process);
}

void keys_task_free(struct task *t)
{
    drop(&t->key_thread);
    drop(&t->key_session);
}

void keys_process_free(struct process *p)
{
    drop(&p->key_process);
}
