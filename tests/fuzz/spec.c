/*
 * Fuzz target: the parsers of config.json, process.json and resources. What spec.h promises of an
 * accepted document is checked. Run by tests/fuzz/run (libFuzzer), and over the corpus by every
 * test run.
 */
#include "runtime/spec.h"
#include "runtime/logfile.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_strings(char **list)
{
    for (; list && *list; list++)
        require(strlen(*list) < SPEC_MAX_FILE);
}

static void check_process(const struct spec_process *p)
{
    if (!p->given)
        return;
    require(p->args && p->args[0] && p->cwd[0] == '/' && p->umask >= -1 && p->umask <= 0777);
    check_strings(p->args);
    check_strings(p->env);
    for (size_t i = 0; i < p->rlimit_count; i++)
        require(p->rlimits[i].name && p->rlimits[i].soft <= p->rlimits[i].hard);
}

static void check_spec(const struct spec *s)
{
    require(s->version && s->root && s->root[0]);
    check_process(&s->process);
    for (size_t i = 0; i < s->mount_count; i++) {
        const struct spec_mount *m = &s->mounts[i];
        require(m->destination[0] == '/' && m->data && (!m->bind || m->source) &&
                !(m->flags & m->clear));
    }
    for (unsigned kind = 0; kind < HOOK_KINDS; kind++)
        for (size_t i = 0; i < s->hooks[kind].count; i++)
            require(s->hooks[kind].list[i].path[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spec spec;
    struct error err;
    static bool quiet;
    if (!quiet)
        quiet = logfile_open("/dev/null", false, false, &err) == 0;
    if (spec_parse((const char *)data, size, &spec, &err) == 0) {
        check_spec(&spec);
        spec_free(&spec);
    } else {
        require(strlen(err.message) > 0);
    }
    if (spec_parse_process((const char *)data, size, &spec, &err) == 0) {
        check_process(&spec.process);
        spec_free(&spec);
    }
    if (spec_parse_resources((const char *)data, size, &spec, &err) == 0)
        spec_free(&spec);
    return 0;
}
