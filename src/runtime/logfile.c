/* Log lines in text or JSON, one write(2) each, so that the lines of several processes do not mix.
 */
#include "runtime/logfile.h"
#include "base/cleanup.h"
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int logfile_out = -1;
static bool logfile_json, logfile_verbose;

int logfile_open(const char *path, bool json, bool debug, struct error *err)
{
    logfile_json = json;
    logfile_verbose = debug;
    if (!path || !*path)
        return 0;
    /* Never one of the numbers that belong to the container. */
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set(err, EXIT_FAILURE, "cannot write the log '%s': %s", path, strerror(errno));
    logfile_out = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    if (logfile_out < 0)
        logfile_out = TAKE_FD(fd);
    return 0;
}

int logfile_fd(void)
{
    return logfile_out;
}

void logfile_set_fd(int fd)
{
    logfile_out = fd;
}

static void now_text(char text[static 40])
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    size_t len = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, 40 - len, ".%09ldZ", now.tv_nsec);
}

static void write_line(const char *level, const char *fmt, va_list ap) PRINTF(2, 0);
static void write_line(const char *level, const char *fmt, va_list ap)
{
    char time_text[40];
    CLEANUP_FREE char *message = NULL, *line = NULL;
    now_text(time_text);
    if (vasprintf(&message, fmt, ap) < 0)
        return;
    if (logfile_json) {
        json_t *object =
            json_pack("{s:s, s:s, s:s}", "level", level, "msg", message, "time", time_text);
        CLEANUP_FREE char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
        json_decref(object);
        if (!text || asprintf(&line, "%s\n", text) < 0)
            return;
    } else if (logfile_out < 0) {
        if (asprintf(&line, "picket: %s: %s\n", level, message) < 0)
            return;
    } else if (asprintf(&line, "time=\"%s\" level=%s msg=\"%s\"\n", time_text, level, message) <
               0) {
        return;
    }
    ssize_t written = write(logfile_out >= 0 ? logfile_out : STDERR_FILENO, line, strlen(line));
    (void)written; /* there is nowhere to complain */
}

void logfile_debug(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (logfile_verbose)
        write_line("debug", fmt, ap);
    va_end(ap);
}

void logfile_warning(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    write_line("warning", fmt, ap);
    va_end(ap);
}

void logfile_error(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (logfile_out >= 0)
        write_line("error", fmt, ap);
    va_end(ap);
}
