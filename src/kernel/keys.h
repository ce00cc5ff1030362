/*
 * Keys and keyrings: keyrings(7), keyctl(2). Types: keyring, user, logon. Nobody is asked for keys that are not there
 * (no upcalls), so request_key(2) finds what exists or says ENOKEY.
 *
 * References to a key: the keyrings it is linked to, tasks and processes whose keyring it is, the table of users'
 * keyrings, calls under way. Everything of keys is under keys_lock; no guest memory is touched under it.
 */
#pragma once
#include "base/base.h"
#include "base/rbtree.h"
#include "base/refcount.h"
#include "base/strbuf.h"
#include "sched/mutex.h"

struct task;
struct process;
struct key;

#define KEY_DESC_MAX 4096
#define KEY_USER_MAX 32767
#define KEY_PAYLOAD_MAX (1 << 20)

/* What a caller needs to be allowed; as in the four bytes of a key's permissions. */
#define KEY_VIEW 0x01u
#define KEY_READ 0x02u
#define KEY_WRITE 0x04u
#define KEY_SEARCH 0x08u
#define KEY_LINK 0x10u
#define KEY_SETATTR 0x20u

enum key_type { KEY_TYPE_KEYRING, KEY_TYPE_USER, KEY_TYPE_LOGON, KEY_TYPES };

struct key {
    struct refcount ref;
    struct rb_node node; /* by serial */
    int32_t serial;      /* [I] */
    enum key_type type;  /* [I] */
    char *desc;          /* [I] */
    uint32_t uid, gid, perm;
    void *payload; /* of user and logon */
    size_t len;
    struct key **links; /* of a keyring: references */
    size_t link_count;
    int64_t expires; /* realtime ns, 0: never */
    bool revoked, invalid;
    bool of_user; /* a user's own keyring, not to be used as a session's by joining */
    uint64_t charged;
    uint32_t payer;
};

extern struct mutex keys_lock;

/* ---- all with keys_lock held ---- */

NODISCARD int key_type_by_name(const char *name, enum key_type *ret); /* -ENODEV */
const char *key_type_name(enum key_type t);
/* A reference. payload (consumed on success) may be NULL. -EDQUOT, -ENOMEM. */
NODISCARD int key_new(enum key_type type, const char *desc, uint32_t perm, void *payload, size_t len, struct key **ret);
struct key *key_get(struct key *k);
void key_put(struct key *k);

/* By serial or KEY_SPEC_...: a reference, if it is allowed `need` (0: anything) and alive. create: makes special
 * keyrings. partial: revoked and expired keys too. */
NODISCARD int key_lookup(int32_t id, bool create, bool partial, unsigned need, struct key **ret);
bool key_allowed(struct key *k, unsigned need);
int key_validate(const struct key *k); /* -EKEYREVOKED, -EKEYEXPIRED, -ENOKEY */

NODISCARD int keyring_link(struct key *ring, struct key *k); /* takes the place of one of the same name */
NODISCARD int keyring_unlink(struct key *ring, struct key *k); /* -ENOENT */
void keyring_clear(struct key *ring);
struct key *keyring_find(struct key *ring, enum key_type type, const char *desc); /* borrowed; not recursive */
/* In the ring and those in it: a reference. -ENOKEY, or what is wrong with the one found. */
NODISCARD int keyring_search(struct key *ring, enum key_type type, const char *desc, struct key **ret);
NODISCARD int keys_search_process(enum key_type type, const char *desc, struct key **ret);
void key_forget_everywhere(struct key *k); /* invalidated: out of every keyring */
/* A new session keyring for the caller: named (found, or made), or anonymous for NULL. Its serial. */
int64_t keys_join_session(const char *name);
int key_set_payload(struct key *k, void *payload, size_t len); /* consumes on success */

/* /proc/keys: what the reader may view; /proc/key-users. They take the lock. */
void keys_show(struct strbuf *out);
void key_users_show(struct strbuf *out);

/* ---- of tasks; take the lock ---- */
void keys_fork(struct task *child, struct task *from);
void keys_exec(struct task *t);
void keys_task_free(struct task *t);
void keys_process_free(struct process *p);
