/* config.json: what is accepted, what is refused, and that the message names the place. */
#include "runtime/spec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h> /* after what it needs */

#define MINIMAL "\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"}"

static void refused(const char *text, const char *message)
{
    struct spec spec;
    struct error err;
    assert_int_equal(spec_parse(text, strlen(text), &spec, &err), -1);
    if (!strstr(err.message, message))
        fail_msg("wanted \"%s\", got \"%s\"", message, err.message);
}

static void accepted(const char *text, struct spec *ret)
{
    struct error err;
    if (spec_parse(text, strlen(text), ret, &err) < 0)
        fail_msg("refused: %s", err.message);
}

static void test_refusals(void **arg)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "config.json: line"},
        {"[]", "must be an object, not a list"},
        {"{}", "ociVersion: is required"},
        {"{\"ociVersion\":\"2.0.0\",\"root\":{\"path\":\"r\"}}",
         "ociVersion: version 2.0.0 is not supported"},
        {"{\"ociVersion\":\"1.0.0\"}", "root: is required"},
        {"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"\"}}", "root.path: is empty"},
        {"{" MINIMAL ",\"process\":7}", "process: must be an object, not a number"},
        {"{" MINIMAL ",\"process\":{\"cwd\":\"/\"}}", "process.args: is required"},
        {"{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"args\":[]}}",
         "process.args: must have at least one"},
        {"{" MINIMAL ",\"process\":{\"cwd\":\"x\",\"args\":[\"a\"]}}",
         "process.cwd: must be an absolute path"},
        {"{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\",7]}}",
         "process.args[1]: must be a string"},
        {"{" MINIMAL ",\"process\":{\"cwd\":\"/"
                     "\",\"args\":[\"a\"],\"rlimits\":[{\"type\":\"RLIMIT_FOO\",\"hard\":1,"
         "\"soft\":1}]}}",
         "process.rlimits[0].type: unknown limit \"RLIMIT_FOO\""},
        {"{" MINIMAL ",\"process\":{\"cwd\":\"/"
                     "\",\"args\":[\"a\"],\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":1,"
         "\"soft\":2}]}}",
         "process.rlimits[0].soft: is above"},
        {"{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"user\":{\"uid\":-1}}}",
         "process.user.uid: must be from"},
        {"{" MINIMAL ",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"oomScoreAdj\":1001}}",
         "process.oomScoreAdj"},
        {"{" MINIMAL ",\"mounts\":[{\"destination\":\"/a\"}]}", "mounts[0].type: is required"},
        {"{" MINIMAL ",\"mounts\":[{\"type\":\"bind\",\"destination\":\"/a\"}]}",
         "mounts[0].source: is required"},
        {"{" MINIMAL ",\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}}",
         "hooks.prestart[0].path: must be an absolute"},
        {"{" MINIMAL ",\"linux\":{\"namespaces\":[{\"type\":\"foo\"}]}}",
         "linux.namespaces[0].type: unknown namespace"},
        {"{" MINIMAL ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]}}",
         "given twice"},
        {"{" MINIMAL ",\"linux\":{\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\"}]}}",
         "linux.devices[0].major: is required"},
        {"{" MINIMAL ",\"linux\":{\"uidMappings\":[{\"size\":0}]}}",
         "linux.uidMappings[0]: the range is empty"},
        {"{" MINIMAL ",\"linux\":{\"intelRdt\":{}}}", "linux.intelRdt: is not supported"},
        {"{" MINIMAL ",\"linux\":{\"rootfsPropagation\":\"odd\"}}",
         "linux.rootfsPropagation: unknown propagation"},
        {"{" MINIMAL ",\"linux\":{\"sysctl\":{\"../x\":\"1\"}}}",
         "linux.sysctl: \"../x\" is no sysctl"},
        {"{" MINIMAL ",\"linux\":{\"resources\":{\"memory\":{\"limit\":\"1\"}}}}",
         "linux.resources.memory.limit: must be a whole number"},
        {"{" MINIMAL ",\"linux\":{\"resources\":{\"unified\":{\"a/b\":\"1\"}}}}",
         "linux.resources.unified: \"a/b\""},
        {"{" MINIMAL ",\"linux\":{\"resources\":{\"devices\":[{\"access\":\"q\"}]}}}",
         "linux.resources.devices[0].access"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        refused(cases[i].text, cases[i].message);
}

static void test_process(void **arg)
{
    struct spec s;
    accepted(
        "{" MINIMAL
        ",\"process\":{\"cwd\":\"/x\",\"args\":[\"a\",\"b\"],\"env\":[\"A=1\"],\"terminal\":true,"
        "\"consoleSize\":{\"height\":24,\"width\":80},\"user\":{\"uid\":5,\"gid\":6,\"umask\":18,"
        "\"additionalGids\":[7,8]},\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_CHOWN\"]},"
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":18446744073709551615,\"soft\":10}],"
        "\"noNewPrivileges\":true,\"oomScoreAdj\":-5}}",
        &s);
    assert_string_equal(s.process.args[1], "b");
    assert_null(s.process.args[2]);
    assert_true(s.process.terminal && s.process.no_new_privileges && s.process.caps_given);
    assert_int_equal(s.process.console_width, 80);
    assert_int_equal(s.process.umask, 022);
    assert_int_equal(s.process.group_count, 2);
    assert_int_equal(s.process.caps[CAPS_BOUNDING], 1 << 5 | 1);
    assert_true(s.process.rlimits[0].hard == UINT64_MAX && s.process.rlimits[0].soft == 10);
    assert_int_equal(s.process.oom_score_adj, -5);
    spec_free(&s);
}

static void test_mounts(void **arg)
{
    struct spec s;
    accepted(
        "{" MINIMAL
        ",\"mounts\":[{\"type\":\"tmpfs\",\"source\":\"t\",\"destination\":\"/t\",\"options\":"
        "[\"nosuid\",\"ro\",\"rw\",\"size=5k\",\"mode=700\",\"tmpcopyup\"]},"
        "{\"destination\":\"v\",\"source\":\"/h\",\"options\":[\"rbind\",\"rprivate\",\"ro\"]}]}",
        &s);
    assert_string_equal(s.mounts[0].data, "size=5k,mode=700");
    assert_int_equal(s.mounts[0].flags, MS_NOSUID);
    assert_true(s.mounts[0].copy_up && !s.mounts[0].bind);
    assert_string_equal(s.mounts[1].destination, "/v");
    assert_true(s.mounts[1].bind && s.mounts[1].bind_recursive);
    assert_int_equal(s.mounts[1].flags, MS_RDONLY);
    assert_int_equal(s.mounts[1].propagation, MS_PRIVATE | MS_REC);
    spec_free(&s);
}

static void test_linux(void **arg)
{
    struct spec s;
    accepted(
        "{" MINIMAL ",\"annotations\":{\"k\":\"v\"},\"linux\":{\"namespaces\":[{\"type\":"
                    "\"network\",\"path\":\"/n\"},"
        "{\"type\":\"pid\"}],\"resources\":{\"memory\":{\"limit\":-1},\"cpu\":{\"quota\":5000,"
        "\"cpus\":\"0-1\"},"
        "\"pids\":{\"limit\":10}},\"maskedPaths\":[\"/proc/kcore\"],\"cgroupsPath\":\"/a/b\"}}",
        &s);
    assert_string_equal(s.namespaces[SPEC_NS_NETWORK].path, "/n");
    assert_true(s.namespaces[SPEC_NS_PID].given && !s.namespaces[SPEC_NS_PID].path &&
                !s.namespaces[SPEC_NS_IPC].given);
    assert_true(s.resources.memory_limit == INT64_MAX && s.resources.cpu_quota == 5000 &&
                s.resources.pids_limit == 10);
    assert_true(s.resources.memory_swap == SPEC_UNSET);
    assert_string_equal(s.masked_paths[0], "/proc/kcore");
    assert_string_equal(spec_annotation(&s, "k"), "v");
    assert_null(spec_annotation(&s, "x"));
    spec_free(&s);
}

static void test_deep(void **arg)
{
    static char text[100000];
    memset(text, '[', sizeof text - 1);
    refused(text, "config.json: line 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_process),
        cmocka_unit_test(test_mounts),   cmocka_unit_test(test_linux),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
