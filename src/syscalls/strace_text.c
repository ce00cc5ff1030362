/*
 * Values as strace(1) writes them: flags by name, strings quoted, results with the name of their
 * errno.
 */
#include "kernel/signal.h"
#include "syscalls/strace.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif

struct flag {
    uint64_t bits; /* all must be set */
    const char *name;
};

static void put_separator(struct strbuf *out, bool *first)
{
    if (!*first)
        strbuf_putc(out, '|');
    *first = false;
}

/* The names of the flags that are set, then what is left over in hexadecimal. */
static void put_names(struct strbuf *out, const struct flag *f, uint64_t value, bool first)
{
    for (; f->name; f++) {
        if ((value & f->bits) != f->bits)
            continue;
        put_separator(out, &first);
        strbuf_puts(out, f->name);
        value &= ~f->bits;
    }
    if (value || first) {
        put_separator(out, &first);
        strbuf_printf(out, value ? "%#llx" : "%llu", (unsigned long long)value);
    }
}

static const struct flag open_flags[] = {
    {O_TMPFILE, "O_TMPFILE"}, {O_SYNC, "O_SYNC"},           {O_CREAT, "O_CREAT"},
    {O_EXCL, "O_EXCL"},       {O_NOCTTY, "O_NOCTTY"},       {O_TRUNC, "O_TRUNC"},
    {O_APPEND, "O_APPEND"},   {O_NONBLOCK, "O_NONBLOCK"},   {O_DSYNC, "O_DSYNC"},
    {O_ASYNC, "O_ASYNC"},     {O_DIRECT, "O_DIRECT"},       {0100000, "O_LARGEFILE"},
    {O_NOATIME, "O_NOATIME"}, {O_NOFOLLOW, "O_NOFOLLOW"},   {O_CLOEXEC, "O_CLOEXEC"},
    {O_PATH, "O_PATH"},       {O_DIRECTORY, "O_DIRECTORY"}, {0, NULL},
};
static const struct flag prot_flags[] = {
    {PROT_READ, "PROT_READ"},           {PROT_WRITE, "PROT_WRITE"},     {PROT_EXEC, "PROT_EXEC"},
    {PROT_GROWSDOWN, "PROT_GROWSDOWN"}, {PROT_GROWSUP, "PROT_GROWSUP"}, {0, NULL},
};
static const struct flag map_flags[] = {
    {MAP_FIXED, "MAP_FIXED"},
    {MAP_ANONYMOUS, "MAP_ANONYMOUS"},
    {MAP_32BIT, "MAP_32BIT"},
    {MAP_GROWSDOWN, "MAP_GROWSDOWN"},
    {MAP_DENYWRITE, "MAP_DENYWRITE"},
    {MAP_EXECUTABLE, "MAP_EXECUTABLE"},
    {MAP_LOCKED, "MAP_LOCKED"},
    {MAP_NORESERVE, "MAP_NORESERVE"},
    {MAP_POPULATE, "MAP_POPULATE"},
    {MAP_NONBLOCK, "MAP_NONBLOCK"},
    {MAP_STACK, "MAP_STACK"},
    {MAP_HUGETLB, "MAP_HUGETLB"},
    {MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE"},
    {0, NULL},
};

static void put_open_flags(struct strbuf *out, uint64_t value)
{
    static const char *const access[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
    strbuf_puts(out, access[value & O_ACCMODE]);
    if (value & ~(uint64_t)O_ACCMODE)
        put_names(out, open_flags, value & ~(uint64_t)O_ACCMODE, false);
}

static void put_map_flags(struct strbuf *out, uint64_t value)
{
    static const char *const types[] = {"MAP_FILE", "MAP_SHARED", "MAP_PRIVATE",
                                        "MAP_SHARED_VALIDATE"};
    strbuf_puts(out, types[value & 3]);
    if (value & ~3ULL)
        put_names(out, map_flags, value & ~3ULL, false);
}

void strace_put_flags(struct strbuf *out, enum strace_flags kind, uint64_t value)
{
    if (kind == STRACE_OPEN)
        put_open_flags(out, value);
    else if (kind == STRACE_MAP)
        put_map_flags(out, value);
    else if (value == PROT_NONE)
        strbuf_puts(out, "PROT_NONE");
    else
        put_names(out, prot_flags, value, true);
}

void strace_put_string(struct strbuf *out, const char *s, size_t n, bool cut)
{
    static const char special[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
    strbuf_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        const char *known = c ? strchr(special, c) : NULL;
        if (c == '"' || c == '\\')
            strbuf_printf(out, "\\%c", c);
        else if (known)
            strbuf_printf(out, "\\%c", letters[known - special]);
        else if (c >= 0x20 && c < 0x7f)
            strbuf_putc(out, (char)c);
        else if (i + 1 < n && s[i + 1] >= '0' &&
                 s[i + 1] <= '9') /* the next digit must not join the number */
            strbuf_printf(out, "\\%03o", c);
        else
            strbuf_printf(out, "\\%o", c);
    }
    strbuf_puts(out, cut ? "\"..." : "\"");
}

void strace_put_mode(struct strbuf *out, uint32_t mode)
{
    strbuf_printf(out, mode ? "0%03o" : "%03o", mode);
}

void strace_put_file_mode(struct strbuf *out, uint32_t mode)
{
    static const char *const types[16] = {
        [1] = "S_IFIFO", [2] = "S_IFCHR",  [4] = "S_IFDIR",  [6] = "S_IFBLK",
        [8] = "S_IFREG", [10] = "S_IFLNK", [12] = "S_IFSOCK"};
    const char *type = types[(mode & S_IFMT) >> 12];
    if (type)
        strbuf_printf(out, "%s|", type);
    strace_put_mode(out, type ? mode & ~(uint32_t)S_IFMT : mode);
}

void strace_put_signal(struct strbuf *out, int signo)
{
    const char *name = signo > 0 && signo < 32 ? sigabbrev_np(signo) : NULL;
    if (name)
        strbuf_printf(out, "SIG%s", name);
    else if (signo >= 32 && signo <= SIGNAL_COUNT)
        strbuf_printf(out, "SIGRT_%d", signo - 32);
    else
        strbuf_printf(out, "%d", signo);
}

void strace_put_whence(struct strbuf *out, int whence)
{
    static const char *const names[] = {"SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA",
                                        "SEEK_HOLE"};
    if (whence >= 0 && whence < (int)ARRAY_SIZE(names))
        strbuf_puts(out, names[whence]);
    else
        strbuf_printf(out, "%d", whence);
}

static const char *restart_name(int64_t err)
{
    switch (err) {
    case ERESTARTSYS:
        return "ERESTARTSYS (To be restarted if SA_RESTART is set)";
    case ERESTARTNOINTR:
        return "ERESTARTNOINTR (To be restarted)";
    case ERESTARTNOHAND:
        return "ERESTARTNOHAND (To be restarted if no handler)";
    case ERESTART_RESTARTBLOCK:
        return "ERESTART_RESTARTBLOCK (Interrupted by signal)";
    default:
        return NULL;
    }
}

static void put_error(struct strbuf *out, int64_t err)
{
    if (restart_name(err))
        strbuf_printf(out, "? %s", restart_name(err));
    else if (strerrorname_np((int)err))
        strbuf_printf(out, "-1 %s (%s)", strerrorname_np((int)err), strerrordesc_np((int)err));
    else
        strbuf_printf(out, "-1 (errno %lld)", (long long)err);
}

void strace_put_result(struct strbuf *out, char letter, int64_t result)
{
    if (result < 0 && result >= -4095)
        put_error(out, -result);
    else if (letter == 'n')
        strbuf_putc(out, '?');
    else if (letter == 'p' || letter == 'x')
        strbuf_printf(out, "%#llx", (unsigned long long)result);
    else if (letter == 'm')
        strace_put_mode(out, (uint32_t)result);
    else
        strbuf_printf(out, "%lld", (long long)result);
}
