/* Classic BPF on packets: loads in network order, bounds, ancillary data. (seccomp's use is tested by guests.) */
#include "base/cbpf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static const uint8_t bytes[] = {0x45, 0, 0, 40, 1, 2, 3, 4, 5, 6, 7, 8};
static const struct cbpf_packet packet = {.data = bytes, .len = sizeof(bytes), .net_offset = 4, .protocol = 0x800};

static uint32_t run(const struct sock_filter *f, size_t n)
{
    assert_int_equal(cbpf_check(f, n, CBPF_PACKET), 0);
    return cbpf_run_packet(f, &packet);
}
#define RUN(...)                                       \
    ({                                                 \
        const struct sock_filter f_[] = {__VA_ARGS__}; \
        run(f_, ARRAY_SIZE(f_));                       \
    })
#define S(code, k) BPF_STMT(code, (uint32_t)(k))
#define RET_A S(BPF_RET | BPF_A, 0)

static void test_loads(void **state)
{
    assert_int_equal(RUN(S(BPF_LD | BPF_W | BPF_ABS, 4), RET_A), 0x01020304);
    assert_int_equal(RUN(S(BPF_LD | BPF_H | BPF_ABS, 5), RET_A), 0x0203);
    assert_int_equal(RUN(S(BPF_LD | BPF_B | BPF_ABS, 11), RET_A), 8);
    assert_int_equal(RUN(S(BPF_LDX | BPF_B | BPF_MSH, 0), S(BPF_MISC | BPF_TXA, 0), RET_A), 20);
    assert_int_equal(RUN(S(BPF_LDX | BPF_IMM, 3), S(BPF_LD | BPF_B | BPF_IND, 2), RET_A), 2);
    assert_int_equal(RUN(S(BPF_LD | BPF_W | BPF_LEN, 0), RET_A), sizeof(bytes));
    assert_int_equal(RUN(S(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + 1), RET_A), 2);
    assert_int_equal(RUN(S(BPF_LD | BPF_B | BPF_ABS, SKF_LL_OFF + 3), RET_A), 40);
    assert_int_equal(RUN(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PROTOCOL), RET_A), 0x800);
}

static void test_bounds(void **state)
{
    assert_int_equal(RUN(S(BPF_LD | BPF_W | BPF_ABS, 9), S(BPF_RET | BPF_K, 7)), 0);
    assert_int_equal(RUN(S(BPF_LD | BPF_B | BPF_ABS, 12), S(BPF_RET | BPF_K, 7)), 0);
    assert_int_equal(RUN(S(BPF_LDX | BPF_IMM, -1), S(BPF_LD | BPF_B | BPF_IND, 2), RET_A), 0);
    assert_int_equal(RUN(S(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + 8), S(BPF_RET | BPF_K, 7)), 0);
    assert_int_equal(RUN(S(BPF_ALU | BPF_DIV | BPF_X, 0), S(BPF_RET | BPF_K, 7)), 0);
    assert_int_equal(RUN(S(BPF_ALU | BPF_MOD | BPF_X, 0), S(BPF_RET | BPF_K, 7)), 0);
}

static void test_refused(void **state)
{
    const struct sock_filter no_return[] = {S(BPF_LD | BPF_IMM, 1)};
    const struct sock_filter far[] = {BPF_JUMP(BPF_JMP | BPF_JA, UINT32_MAX, 0, 0), RET_A};
    const struct sock_filter packet_only[] = {S(BPF_LD | BPF_H | BPF_ABS, 0), RET_A};
    assert_int_equal(cbpf_check(no_return, 1, CBPF_PACKET), -EINVAL);
    assert_int_equal(cbpf_check(far, 2, CBPF_PACKET), -EINVAL);
    assert_int_equal(cbpf_check(packet_only, 2, CBPF_SECCOMP), -EINVAL);
    assert_int_equal(cbpf_check(far, 0, CBPF_PACKET), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
