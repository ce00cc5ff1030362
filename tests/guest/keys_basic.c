/* add_key(2), request_key(2), keyctl(2): keyrings, user keys, permissions, life. */
#include "each.h"
#include <linux/keyctl.h>

#define add_key(t, d, p, n, r) syscall(SYS_add_key, t, d, p, n, r)
#define request_key(t, d, c, r) syscall(SYS_request_key, t, d, c, r)
#define keyctl(...) syscall(SYS_keyctl, __VA_ARGS__)
#define PROC KEY_SPEC_PROCESS_KEYRING
#define SESS KEY_SPEC_SESSION_KEYRING

static void adding(void)
{
    char buf[64], long_type[64], text[256];
    memset(long_type, 'x', sizeof(long_type));
    long_type[63] = 0;
    FAILS(add_key("user", "d", "x", 1, 0), EINVAL);
    FAILS(add_key("user", "d", "x", 1, -20), EINVAL);
    FAILS(add_key("user", "d", "x", 1, 0x7ffffff0), ENOKEY);
    FAILS(add_key("no such", "d", "x", 1, PROC), ENODEV);
    FAILS(add_key(".user", "d", "x", 1, PROC), EPERM);
    FAILS(add_key("", "d", "x", 1, PROC), EINVAL);
    FAILS(add_key(long_type, "d", "x", 1, PROC), EINVAL);
    FAILS(add_key(8, "d", "x", 1, PROC), EFAULT);
    FAILS(add_key("user", 8, "x", 1, PROC), EFAULT);
    FAILS(add_key("user", "d", 8, 1, PROC), EFAULT);
    FAILS(add_key("user", "d", "", 0, PROC), EINVAL);
    FAILS(add_key("user", "d", "x", 1UL << 20, PROC), EINVAL);
    FAILS(add_key("user", NULL, "x", 1, PROC), EINVAL);
    FAILS(add_key("keyring", "d", "x", 1, PROC), EINVAL);
    FAILS(add_key("keyring", ".d", NULL, 0, PROC), EPERM);
    long k = add_key("user", "name", "secret", 6, PROC);
    HOLDS(k > 0);
    IS(keyctl(KEYCTL_READ, k, buf, sizeof(buf)), 6);
    IS(memcmp(buf, "secret", 6), 0);
    IS(keyctl(KEYCTL_READ, k, NULL, 0), 6);
    IS(add_key("user", "name", "other", 5, PROC), k); /* updated */
    IS(keyctl(KEYCTL_READ, k, buf, sizeof(buf)), 5);
    IS(keyctl(KEYCTL_UPDATE, k, "third", 5), 0);
    FAILS(keyctl(KEYCTL_UPDATE, k, "third", 5000), EINVAL);
    FAILS(keyctl(KEYCTL_UPDATE, PROC, "third", 5), EOPNOTSUPP);
    snprintf(text, sizeof(text), "user;%u;%u;3f010000;name", getuid(), getgid());
    IS(keyctl(KEYCTL_DESCRIBE, k, buf, sizeof(buf)), strlen(text) + 1);
    IS(strcmp(buf, text), 0);
    IS(keyctl(KEYCTL_GET_KEYRING_ID, k, 0), k);
    long ring = keyctl(KEYCTL_GET_KEYRING_ID, PROC, 0);
    HOLDS(ring > 0);
    int32_t serials[4];
    IS(keyctl(KEYCTL_READ, PROC, serials, sizeof(serials)), 4);
    IS(serials[0], k);
    FAILS(add_key("user", "d", "x", 1, k), ENOTDIR);
    long logon = add_key("logon", "a:b", "pass", 4, PROC);
    HOLDS(logon > 0);
    FAILS(add_key("logon", "ab", "pass", 4, PROC), EINVAL);
    FAILS(keyctl(KEYCTL_READ, logon, buf, sizeof(buf)), EOPNOTSUPP);
    IS(request_key("user", "name", NULL, 0), k);
    FAILS(request_key("user", "absent", NULL, 0), ENOKEY);
    FAILS(request_key("no such", "absent", NULL, 0), ENOKEY);
    FAILS(request_key(8, "absent", NULL, 0), EFAULT);
    FAILS(request_key("user", 8, NULL, 0), EFAULT);
    IS(keyctl(KEYCTL_SEARCH, PROC, "user", "name", 0), k);
    FAILS(keyctl(KEYCTL_SEARCH, PROC, "user", "absent", 0), ENOKEY);
    FAILS(keyctl(KEYCTL_SEARCH, k, "user", "absent", 0), ENOTDIR);
}

static void rings(void)
{
    char buf[64];
    long a = add_key("keyring", "a", NULL, 0, PROC), b = add_key("keyring", "b", NULL, 0, a);
    long k = add_key("user", "deep", "x", 1, b);
    HOLDS(a > 0 && b > 0 && k > 0);
    IS(request_key("user", "deep", NULL, 0), k);
    FAILS(keyctl(KEYCTL_LINK, a, b), EDEADLK);
    FAILS(keyctl(KEYCTL_LINK, a, a), EDEADLK);
    FAILS(keyctl(KEYCTL_LINK, a, k), ENOTDIR);
    IS(keyctl(KEYCTL_LINK, k, a), 0);
    IS(keyctl(KEYCTL_READ, a, NULL, 0), 8);
    IS(keyctl(KEYCTL_UNLINK, k, a), 0);
    FAILS(keyctl(KEYCTL_UNLINK, k, a), ENOENT);
    FAILS(keyctl(KEYCTL_UNLINK, k, k), ENOTDIR);
    FAILS(keyctl(KEYCTL_CLEAR, k), ENOTDIR);
    IS(keyctl(KEYCTL_SETPERM, k, 0x3f3f0000), 0);
    FAILS(keyctl(KEYCTL_SETPERM, k, 0xffffffff), EINVAL);
    IS(keyctl(KEYCTL_SETPERM, k, 0x3e3e0000), 0);
    FAILS(keyctl(KEYCTL_DESCRIBE, k, buf, sizeof(buf)), EACCES);
    IS(keyctl(KEYCTL_SETPERM, k, 0x3f3f0000), 0);
    IS(keyctl(KEYCTL_SET_TIMEOUT, k, 1), 0);
    sleep_ms(1200);
    FAILS(keyctl(KEYCTL_READ, k, buf, sizeof(buf)), EKEYEXPIRED);
    FAILS(request_key("user", "deep", NULL, 0), ENOKEY);
    FAILS(keyctl(KEYCTL_SEARCH, b, "user", "deep", 0), EKEYEXPIRED);
    IS(keyctl(KEYCTL_CLEAR, b), 0);
    k = add_key("user", "shallow", "x", 1, a);
    IS(keyctl(KEYCTL_REVOKE, k), 0);
    FAILS(keyctl(KEYCTL_READ, k, buf, sizeof(buf)), EKEYREVOKED);
    FAILS(keyctl(KEYCTL_REVOKE, k), EKEYREVOKED);
    FAILS(request_key("user", "shallow", NULL, 0), ENOKEY); /* not in the session's either */
    FAILS(keyctl(KEYCTL_SEARCH, a, "user", "shallow", 0), EKEYREVOKED);
    k = add_key("user", "third", "x", 1, a);
    IS(keyctl(KEYCTL_INVALIDATE, k), 0);
    /* Gone, or about to be collected. */
    CHECK(keyctl(KEYCTL_SEARCH, a, "user", "third", 0) == -1 && (errno == ENOKEY || errno == EKEYREVOKED));
    FAILS(keyctl(KEYCTL_CHOWN, 0, 0, 0), EINVAL);
    FAILS(keyctl(KEYCTL_READ, 0, buf, sizeof(buf)), ENOKEY);
    FAILS(keyctl(12345), EOPNOTSUPP);
    FAILS(keyctl(KEYCTL_SET_REQKEY_KEYRING, 99), EINVAL);
    IS(keyctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_NO_CHANGE), KEY_REQKEY_DEFL_DEFAULT);
    IS(keyctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_PROCESS_KEYRING), KEY_REQKEY_DEFL_DEFAULT);
    IS(keyctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_DEFAULT), KEY_REQKEY_DEFL_PROCESS_KEYRING);
    IS(keyctl(KEYCTL_ASSUME_AUTHORITY, 0), 0);
}

static void sessions(void)
{
    char buf[128], name[32];
    FAILS(keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0), ENOKEY);
    HOLDS(keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 1) > 0);
    FAILS(keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_GROUP_KEYRING, 0), EINVAL);
    long user = keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0);
    HOLDS(user > 0);
    snprintf(name, sizeof(name), ";1f3f0000;_uid.%u", getuid());
    HOLDS(keyctl(KEYCTL_DESCRIBE, user, buf, sizeof(buf)) > 0);
    HOLDS(strstr(buf, name) != NULL);
    long one = keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL);
    HOLDS(one > 0);
    IS(keyctl(KEYCTL_GET_KEYRING_ID, SESS, 0), one);
    long named = keyctl(KEYCTL_JOIN_SESSION_KEYRING, "mine");
    HOLDS(named > 0 && named != one);
    FAILS(keyctl(KEYCTL_JOIN_SESSION_KEYRING, ".mine"), EPERM);
    long k = add_key("user", "in session", "x", 1, SESS);
    pid_t pid = fork();
    if (pid == 0) { /* a session is inherited, a process keyring is not */
        IS(request_key("user", "in session", NULL, 0), k);
        FAILS(keyctl(KEYCTL_GET_KEYRING_ID, PROC, 0), ENOKEY);
        _exit(each_failed());
    }
    exits_with(pid, 0);
    HOLDS(keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL) > 0);
    FAILS(request_key("user", "in session", NULL, 0), ENOKEY);
}

int main(void)
{
    if (add_key("user", "probe", "x", 1, PROC) < 0 && errno == ENOSYS)
        return 0; /* a kernel without */
    keyctl(KEYCTL_CLEAR, PROC);
    keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL);
    adding();
    rings();
    sessions();
    return each_failed();
}
