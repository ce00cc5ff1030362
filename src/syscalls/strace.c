/*
 * One traced call: arguments decoded by the letters of the row's signature, before the call what
 * the guest passes in, after it what came back. Guest memory is read through mm/uaccess.h and shown
 * bounded.
 */
#include "syscalls/strace.h"
#include "base/log.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_ARGS 6
#define SHOWN_BYTES 64   /* of a buffer */
#define SHOWN_STRINGS 16 /* of a vector */

struct trace {
    const char *letters; /* of the arguments, MAX_ARGS at most */
    unsigned count;
    char result_letter;
    const uint64_t *args;
    struct strbuf text[MAX_ARGS];
};

static void parse_signature(struct trace *t, const struct syscall_entry *entry)
{
    const char *sig = entry && entry->signature ? entry->signature : "";
    const char *colon = strchr(sig, ':');
    t->letters = colon ? sig : "xxxxxx"; /* unknown: raw words */
    t->count = colon ? (unsigned)(colon - sig) : MAX_ARGS;
    t->count = MIN(t->count, (unsigned)MAX_ARGS);
    t->result_letter = colon && colon[1] ? colon[1] : 'l';
}

/* ---- arguments in guest memory ---- */

static void put_pointer(struct strbuf *out, uaddr_t addr)
{
    if (addr)
        strbuf_printf(out, "%#llx", (unsigned long long)addr);
    else
        strbuf_puts(out, "NULL");
}

static void put_user_string(struct strbuf *out, uaddr_t addr)
{
    char *s;
    if (!addr || strndup_user(addr, PATH_MAX, &s) < 0) {
        put_pointer(out, addr);
        return;
    }
    strace_put_string(out, s, strlen(s), false);
    free(s);
}

static void put_user_buffer(struct strbuf *out, uaddr_t addr, uint64_t len)
{
    char buf[SHOWN_BYTES];
    size_t n = MIN(len, sizeof(buf));
    if (!addr || copy_from_user(buf, addr, n) < 0)
        put_pointer(out, addr);
    else
        strace_put_string(out, buf, n, len > n);
}

static void put_vector(struct strbuf *out, uaddr_t vec, bool strings)
{
    unsigned n = 0;
    uaddr_t s = 0;
    struct strbuf list = STRBUF_INIT;
    while (n < 4096 && get_user(&s, vec + n * sizeof(s)) == 0 && s) {
        if (strings && n < SHOWN_STRINGS) {
            strbuf_puts(&list, n ? ", " : "");
            put_user_string(&list, s);
        }
        n++;
    }
    if (!vec || !strings) {
        put_pointer(out, vec);
        strbuf_printf(out, " /* %u vars */", n);
    } else {
        strbuf_printf(out, "[%s%s]", list.s ? list.s : "", n > SHOWN_STRINGS ? ", ..." : "");
    }
    strbuf_free(&list);
}

static void put_timespec(struct strbuf *out, uaddr_t addr)
{
    struct timespec ts;
    if (!addr || get_user(&ts, addr) < 0)
        put_pointer(out, addr);
    else
        strbuf_printf(out, "{tv_sec=%lld, tv_nsec=%lld}", (long long)ts.tv_sec,
                      (long long)ts.tv_nsec);
}

static void put_stat(struct strbuf *out, uaddr_t addr)
{
    struct stat st; /* x86-64: the guest's struct stat is glibc's */
    if (!addr || get_user(&st, addr) < 0) {
        put_pointer(out, addr);
        return;
    }
    strbuf_puts(out, "{st_mode=");
    strace_put_file_mode(out, st.st_mode);
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        strbuf_printf(out, ", st_rdev=%#llx, ...}", (unsigned long long)st.st_rdev);
    else
        strbuf_printf(out, ", st_size=%lld, ...}", (long long)st.st_size);
}

/* ---- an argument by its letter ---- */

static bool comes_back(char letter)
{
    return letter == 'b' || letter == 'S';
}

static void put_plain(struct strbuf *out, char letter, uint64_t v)
{
    switch (letter) {
    case 'd':
    case 'f':
        strbuf_printf(out, "%d", (int)v);
        break;
    case 'F':
        if ((int)v == AT_FDCWD)
            strbuf_puts(out, "AT_FDCWD");
        else
            strbuf_printf(out, "%d", (int)v);
        break;
    case 'u':
        strbuf_printf(out, "%u", (unsigned)v);
        break;
    case 'l':
        strbuf_printf(out, "%lld", (long long)v);
        break;
    case 'z':
        strbuf_printf(out, "%llu", (unsigned long long)v);
        break;
    case 'p':
        put_pointer(out, v);
        break;
    default:
        strbuf_printf(out, "%#llx", (unsigned long long)v);
        break;
    }
}

static void put_input(struct trace *t, unsigned i)
{
    struct strbuf *out = &t->text[i];
    uint64_t v = t->args[i];
    switch (t->letters[i]) {
    case 's':
        put_user_string(out, v);
        break;
    case 'i':
        put_user_buffer(out, v, i + 1 < MAX_ARGS ? t->args[i + 1] : 0);
        break;
    case 'v':
        put_vector(out, v, i == 0 || t->letters[i - 1] != 'v');
        break;
    case 't':
        put_timespec(out, v);
        break;
    case 'o':
        strace_put_flags(out, STRACE_OPEN, (uint32_t)v);
        break;
    case 'P':
        strace_put_flags(out, STRACE_PROT, v);
        break;
    case 'M':
        strace_put_flags(out, STRACE_MAP, v);
        break;
    case 'm':
        strace_put_mode(out, (uint32_t)v);
        break;
    case 'g':
        strace_put_signal(out, (int)v);
        break;
    case 'w':
        strace_put_whence(out, (int)v);
        break;
    default:
        put_plain(out, t->letters[i], v);
        break;
    }
}

static void put_output(struct trace *t, unsigned i, int64_t result)
{
    struct strbuf *out = &t->text[i];
    if (result < 0)
        put_pointer(out, t->args[i]);
    else if (t->letters[i] == 'S')
        put_stat(out, t->args[i]);
    else
        put_user_buffer(out, t->args[i], (uint64_t)result);
}

/* open's mode counts only with O_CREAT or O_TMPFILE. */
static bool is_unused_mode(const struct trace *t, unsigned i)
{
    return i > 0 && t->letters[i] == 'm' && t->letters[i - 1] == 'o' &&
           !(t->args[i - 1] & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)));
}

/* ---- the line ---- */

static void write_line(const struct trace *t, const char *name, const char *end)
{
    struct strbuf line = STRBUF_INIT;
    for (unsigned i = 0; i < t->count; i++) {
        if (is_unused_mode(t, i))
            continue;
        strbuf_puts(&line, i ? ", " : "");
        strbuf_puts(&line, t->text[i].s ? t->text[i].s : "?");
    }
    log_info("[%d] %s(%s)%s", pid_number(current->pid), name, line.s ? line.s : "", end);
    strbuf_free(&line);
}

static void write_result(const struct trace *t, const char *name, int64_t result)
{
    struct strbuf end = STRBUF_INIT;
    strbuf_puts(&end, " = ");
    strace_put_result(&end, t->result_letter, result);
    write_line(t, name, end.s ? end.s : "");
    strbuf_free(&end);
}

int64_t strace_call(uint64_t nr, const struct syscall_entry *entry, const uint64_t *args,
                    syscall_fn *fn)
{
    struct trace t = {.args = args};
    char unknown[32];
    const char *name = entry ? entry->name : NULL;
    if (!name) {
        snprintf(unknown, sizeof(unknown), "syscall_%llu", (unsigned long long)nr);
        name = unknown;
    }
    parse_signature(&t, entry);
    bool announced = t.result_letter == 'n' || strncmp(name, "execve", 6) == 0;
    for (unsigned i = 0; i < t.count; i++)
        if (!comes_back(t.letters[i]))
            put_input(&t, i);
    if (announced)
        write_line(&t, name, t.result_letter == 'n' ? " = ?" : " ...");
    int64_t result = fn ? fn(args) : syscall_unknown(nr);
    for (unsigned i = 0; i < t.count; i++)
        if (comes_back(t.letters[i]))
            put_output(&t, i, result);
    if (t.result_letter != 'n')
        write_result(&t, name, result);
    for (unsigned i = 0; i < t.count; i++)
        strbuf_free(&t.text[i]);
    return result;
}
