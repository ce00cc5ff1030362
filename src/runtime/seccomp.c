/* From OCI's linux.seccomp to a BPF program: see seccomp.h. */
#include "runtime/seccomp.h"
#include "base/cleanup.h"
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_ARGS 6
#define MAX_PROGRAM (4096 * sizeof(struct sock_filter))

DEFINE_CLEANUP(scmp_filter_ctx, seccomp_release)

/* ---- words of the specification ---- */

static int bad(struct error *err, const char *what, const char *value)
{
    return error_set(err, EXIT_PICKET, "linux.seccomp: %s%s%s", what, value ? ": " : "", value ? value : "");
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int find_action(const json_t *object, const char *key, const char *errno_key, uint32_t *ret, struct error *err)
{
    static const struct {
        const char *name;
        uint32_t action;
    } actions[] = {
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD}, {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS}, {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW}, {"SCMP_ACT_LOG", SCMP_ACT_LOG}, {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY},
    };
    const char *name = text_of(object, key);
    const json_t *code = json_object_get(object, errno_key);
    json_int_t value = code ? json_integer_value(code) : EPERM;
    if (!name)
        return bad(err, key, "missing, or not a string");
    if (code && (!json_is_integer(code) || value < 0 || value > 0xffff))
        return bad(err, errno_key, "not a small number");
    if (strcmp(name, "SCMP_ACT_ERRNO") == 0 || strcmp(name, "SCMP_ACT_TRACE") == 0) {
        *ret = name[9] == 'E' ? SCMP_ACT_ERRNO((uint32_t)value) : SCMP_ACT_TRACE((uint32_t)value);
        return 0;
    }
    if (code)
        return bad(err, "an error number makes no sense with", name);
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (strcmp(actions[i].name, name) == 0) {
            *ret = actions[i].action;
            return 0;
        }
    return bad(err, "unknown action", name);
}

static int find_operator(const json_t *arg, enum scmp_compare *ret, struct error *err)
{
    static const struct {
        const char *name;
        enum scmp_compare op;
    } operators[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    };
    const char *name = text_of(arg, "op");
    for (size_t i = 0; name && i < ARRAY_SIZE(operators); i++)
        if (strcmp(operators[i].name, name) == 0) {
            *ret = operators[i].op;
            return 0;
        }
    return bad(err, "unknown operator", name);
}

/* ---- rules ---- */

struct conditions {
    struct scmp_arg_cmp list[64];
    unsigned count;
};

static int read_condition(const json_t *arg, struct scmp_arg_cmp *ret, struct error *err)
{
    enum scmp_compare op = SCMP_CMP_EQ;
    json_int_t index = json_integer_value(json_object_get(arg, "index"));
    if (find_operator(arg, &op, err) < 0)
        return -1;
    if (index < 0 || index >= MAX_ARGS)
        return bad(err, "argument index beyond 5", NULL);
    *ret = (struct scmp_arg_cmp){
        .arg = (unsigned)index,
        .op = op,
        .datum_a = (scmp_datum_t)json_integer_value(json_object_get(arg, "value")),
        .datum_b = (scmp_datum_t)json_integer_value(json_object_get(arg, "valueTwo")),
    };
    return 0;
}

static int read_conditions(const json_t *args, struct conditions *ret, struct error *err)
{
    ret->count = (unsigned)json_array_size(args);
    if (ret->count > ARRAY_SIZE(ret->list))
        return bad(err, "too many conditions on arguments", NULL);
    for (unsigned i = 0; i < ret->count; i++)
        if (read_condition(json_array_get(args, i), &ret->list[i], err) < 0)
            return -1;
    return 0;
}

/* Conditions on one argument more than once: libseccomp takes them as alternatives only. */
static bool has_repeated_argument(const struct conditions *c)
{
    unsigned seen = 0;
    for (unsigned i = 0; i < c->count; i++) {
        if (seen >> c->list[i].arg & 1)
            return true;
        seen |= 1u << c->list[i].arg;
    }
    return false;
}

static int add_call(scmp_filter_ctx f, uint32_t action, int nr, const struct conditions *c)
{
    int failed = 0;
    if (!has_repeated_argument(c))
        return seccomp_rule_add_array(f, action, nr, c->count, c->list);
    for (unsigned i = 0; i < c->count && !failed; i++)
        failed = seccomp_rule_add_array(f, action, nr, 1, &c->list[i]);
    return failed;
}

static int add_rule(scmp_filter_ctx f, const json_t *rule, uint32_t default_action, struct error *err)
{
    struct conditions c;
    uint32_t action;
    json_t *name;
    size_t i;
    if (find_action(rule, "action", "errnoRet", &action, err) < 0 ||
        read_conditions(json_object_get(rule, "args"), &c, err) < 0)
        return -1;
    if (action == default_action) /* libseccomp refuses what says nothing */
        return 0;
    json_array_foreach(json_object_get(rule, "names"), i, name) {
        const char *text = json_string_value(name);
        int nr = text ? seccomp_syscall_resolve_name(text) : __NR_SCMP_ERROR;
        if (nr == __NR_SCMP_ERROR)
            continue;
        int failed = add_call(f, action, nr, &c);
        if (failed && failed != -EEXIST)
            return bad(err, "rule refused for", text);
    }
    return 0;
}

/* Does the profile know of 32-bit calls? Without that they are killed. */
static bool has_foreign_architecture(const json_t *profile)
{
    json_t *name;
    size_t i;
    json_array_foreach(json_object_get(profile, "architectures"), i, name) {
        const char *text = json_string_value(name);
        if (text && (strcmp(text, "SCMP_ARCH_X86") == 0 || strcmp(text, "SCMP_ARCH_X32") == 0))
            return true;
    }
    return false;
}

static int build(const json_t *profile, scmp_filter_ctx *ret, struct error *err)
{
    uint32_t default_action;
    json_t *rule;
    size_t i;
    if (!json_is_object(profile))
        return bad(err, "not an object", NULL);
    if (find_action(profile, "defaultAction", "defaultErrnoRet", &default_action, err) < 0)
        return -1;
    scmp_filter_ctx f = seccomp_init(default_action);
    if (!f)
        return bad(err, "out of memory", NULL);
    *ret = f;
    if (has_foreign_architecture(profile))
        (void)seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    (void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree: it is interpreted */
    json_array_foreach(json_object_get(profile, "syscalls"), i, rule)
        if (add_rule(f, rule, default_action, err) < 0)
            return -1;
    return 0;
}

/* ---- the program ---- */

static int export_program(scmp_filter_ctx f, struct sock_filter **ret_prog, size_t *ret_len, struct error *err)
{
    CLEANUP_FD int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0 || seccomp_export_bpf(f, fd) < 0)
        return bad(err, "cannot be compiled", NULL);
    off_t size = lseek(fd, 0, SEEK_END);
    if (size <= 0 || (size_t)size > MAX_PROGRAM || (size_t)size % sizeof(struct sock_filter))
        return bad(err, "the compiled program is too long", NULL);
    CLEANUP_FREE struct sock_filter *prog = malloc((size_t)size);
    if (!prog || pread(fd, prog, (size_t)size, 0) != size)
        return bad(err, "out of memory", NULL);
    *ret_prog = TAKE_PTR(prog);
    *ret_len = (size_t)size / sizeof(struct sock_filter);
    return 0;
}

int seccomp_compile(const json_t *profile, struct sock_filter **ret_prog, size_t *ret_len, struct error *err)
{
    CLEANUP_OF(seccomp_release) scmp_filter_ctx f = NULL;
    if (build(profile, &f, err) < 0)
        return -1;
    return export_program(f, ret_prog, ret_len, err);
}
