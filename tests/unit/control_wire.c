/* The control server's framing: objects in pieces and in one, what is no object, bounds, descriptors; parameters. */
#include "control/params.h"
#include "control/wire.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static void feed(struct wire *w, const char *text)
{
    assert_int_equal(wire_feed(w, text, strlen(text), NULL, 0), 0);
}

static void expect(struct wire *w, const char *text)
{
    struct wire_object o;
    assert_true(wire_next(w, &o));
    assert_int_equal(o.error, 0);
    while (o.len && json_frame_is_space(*o.text)) {
        o.text++;
        o.len--;
    }
    assert_int_equal(o.len, strlen(text));
    assert_memory_equal(o.text, text, o.len);
}

static void expect_error(struct wire *w, int error)
{
    struct wire_object o;
    assert_true(wire_next(w, &o));
    assert_int_equal(o.error, error);
    assert_int_equal(o.len, 0);
}

static void expect_none(struct wire *w)
{
    struct wire_object o;
    assert_false(wire_next(w, &o));
}

static void test_objects(void **state)
{
    struct wire w;
    wire_init(&w, -1);
    feed(&w, "{\"a\":1}{\"b\":[{}]}\n  {\"c\":\"}\\\"{\"}");
    expect(&w, "{\"a\":1}");
    expect(&w, "{\"b\":[{}]}");
    expect(&w, "{\"c\":\"}\\\"{\"}");
    expect_none(&w);
    for (const char *c = "{\"in\":\"pieces\"}"; *c; c++) {
        expect_none(&w);
        assert_int_equal(wire_feed(&w, c, 1, NULL, 0), 0);
    }
    expect(&w, "{\"in\":\"pieces\"}");
    expect_none(&w);
    wire_fini(&w);
}

static void test_malformed(void **state)
{
    static const char *const bad[] = {"nonsense\n", "{\"a\":\n", "{\"a\":\"\n", "}\n", "x{}\n", "\"text\"\n", "{[{\n"};
    struct wire w;
    wire_init(&w, -1);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        feed(&w, bad[i]);
        feed(&w, "{\"next\":1}\n\n\n");
        expect_error(&w, -EBADMSG);
        expect(&w, "{\"next\":1}");
        expect_none(&w);
    }
    feed(&w, "{");
    for (int i = 0; i < 100; i++)
        feed(&w, "[");
    feed(&w, "\n");
    expect_error(&w, -EBADMSG);
    expect_none(&w);
    wire_fini(&w);
}

static void test_too_long(void **state)
{
    static char piece[100001];
    struct wire w;
    memset(piece, 'x', sizeof piece - 1);
    wire_init(&w, -1);
    feed(&w, "{\"a\":\"");
    for (size_t sent = 0; sent < 3 * PROTOCOL_MAX_MESSAGE; sent += sizeof piece - 1) {
        feed(&w, piece);
        expect_none(&w);
        assert_true(w.room < 2 * PROTOCOL_MAX_MESSAGE); /* it is not kept */
    }
    feed(&w, "\"}{\"next\":1}\n");
    expect_error(&w, -EMSGSIZE);
    expect(&w, "{\"next\":1}");
    wire_fini(&w);
}

/* ---- descriptors ---- */

static int null_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void test_descriptors(void **state)
{
    struct wire w;
    struct wire_object o;
    int fds[2] = {null_fd(), null_fd()};
    wire_init(&w, -1);
    feed(&w, "{\"without\":1}\n");
    assert_int_equal(wire_feed(&w, "{\"with\":2}\n", 11, fds, 2), 0);
    assert_true(wire_next(&w, &o));
    assert_int_equal(o.fd_count, 0);
    assert_true(wire_next(&w, &o));
    assert_int_equal(o.fd_count, 2);
    int taken = o.fds[1];
    o.fds[1] = -1;
    expect_none(&w); /* what was not taken is closed */
    assert_false(is_open(fds[0]));
    assert_true(is_open(taken));
    close(taken);
    wire_fini(&w);
}

static void test_descriptors_of_a_piece(void **state)
{
    struct wire w;
    struct wire_object o;
    int fd = null_fd();
    wire_init(&w, -1);
    assert_int_equal(wire_feed(&w, "{\"first\":1}{\"sec", 16, &fd, 1), 0);
    assert_true(wire_next(&w, &o));
    assert_int_equal(o.fd_count, 0);
    expect_none(&w);
    feed(&w, "ond\":2}");
    assert_true(wire_next(&w, &o));
    assert_int_equal(o.fd_count, 1);
    wire_fini(&w);
    assert_false(is_open(fd));
}

static void test_too_many_descriptors(void **state)
{
    struct wire w;
    struct wire_object o;
    wire_init(&w, -1);
    feed(&w, "{");
    for (int i = 0; i < PROTOCOL_MAX_FDS + 5; i++) {
        int fd = null_fd();
        assert_int_equal(wire_feed(&w, " ", 1, &fd, 1), 0);
    }
    feed(&w, "}\n{\"next\":1}\n");
    /* They came while only the first object was there, but whose they are shows when nothing follows. */
    assert_true(wire_next(&w, &o));
    assert_true(wire_next(&w, &o));
    wire_fini(&w);
}

/* Through a real socket: a receive ends after a message with descriptors. */
static void test_socket(void **state)
{
    struct wire w;
    struct wire_object o;
    int pair[2], fd = null_fd();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    wire_init(&w, pair[0]);
    assert_int_equal(wire_receive(&w, MSG_DONTWAIT), -EAGAIN);
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    struct iovec v = {(void *)"{\"b\":2}", 7};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    assert_int_equal(send(pair[1], "{\"a\":1}", 7, 0), 7);
    assert_int_equal(sendmsg(pair[1], &m, 0), 7);
    assert_int_equal(send(pair[1], "{\"c\":3}", 7, 0), 7);
    int with = 0, objects = 0;
    while (objects < 3) {
        assert_true(wire_receive(&w, MSG_DONTWAIT) > 0);
        while (wire_next(&w, &o)) {
            objects++;
            if (o.fd_count)
                with = objects;
        }
    }
    assert_int_equal(with, 2);
    close(pair[1]);
    assert_int_equal(wire_receive(&w, MSG_DONTWAIT), 0);
    wire_fini(&w);
    close(pair[0]);
    close(fd);
}

/* ---- parameters ---- */

static void test_params(void **state)
{
    json_t *object = json_pack("{s:s, s:{s:s}, s:i, s:[s, s], s:b}", "s", "text", "b", "base64", "/w==", "n", 7, "l",
                               "x", "y", "t", 1);
    struct params p;
    char *s = NULL, *b = NULL, **l = NULL;
    uint32_t n = 1;
    bool t = false;
    params_init(&p, object);
    params_string(&p, "s", &s);
    params_string(&p, "b", &b);
    params_u32(&p, "n", 7, &n);
    params_strings(&p, "l", &l);
    params_bool(&p, "t", &t);
    params_u32(&p, "absent", 7, &n);
    assert_int_equal(params_finish(&p), 0);
    assert_string_equal(s, "text");
    assert_string_equal(b, "\xff");
    assert_true(n == 7 && t && strcmp(l[1], "y") == 0 && !l[2]);
    free(s), free(b), free_strings(l);
    json_decref(object);
}

static void expect_problem(const char *text, const char *problem)
{
    json_t *object = json_loads(text, 0, NULL);
    struct params p;
    char *s = NULL;
    uint32_t n = 0;
    params_init(&p, object);
    params_path(&p, "path", &s);
    params_u32(&p, "n", 7, &n);
    assert_int_equal(params_finish(&p), -EINVAL);
    assert_non_null(strstr(p.problem, problem));
    free(s);
    json_decref(object);
}

static void test_params_problems(void **state)
{
    expect_problem("{\"n\":8}", "params.n ");
    expect_problem("{\"n\":-1}", "params.n ");
    expect_problem("{\"n\":\"7\"}", "params.n ");
    expect_problem("{\"path\":\"relative\"}", "params.path ");
    expect_problem("{\"path\":7}", "params.path ");
    expect_problem("{\"path\":{\"base64\":\"L2EAYg==\"}}", "NUL");
    expect_problem("{\"path\":{\"base64\":\"?\"}}", "base64");
    expect_problem("{\"other\":1}", "params.other ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_descriptors_of_a_piece),
        cmocka_unit_test(test_too_many_descriptors),
        cmocka_unit_test(test_socket),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_params_problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
