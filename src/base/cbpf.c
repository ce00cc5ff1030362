/* Classic BPF: checking and interpreting. See cbpf.h. */
#include "base/cbpf.h"
#include <string.h>

#define ALL_VALID 0xffffu

/* ---- checking ---- */

static bool is_alu(uint16_t code)
{
    switch (code) {
    case BPF_ALU | BPF_ADD | BPF_K:
    case BPF_ALU | BPF_ADD | BPF_X:
    case BPF_ALU | BPF_SUB | BPF_K:
    case BPF_ALU | BPF_SUB | BPF_X:
    case BPF_ALU | BPF_MUL | BPF_K:
    case BPF_ALU | BPF_MUL | BPF_X:
    case BPF_ALU | BPF_DIV | BPF_K:
    case BPF_ALU | BPF_DIV | BPF_X:
    case BPF_ALU | BPF_AND | BPF_K:
    case BPF_ALU | BPF_AND | BPF_X:
    case BPF_ALU | BPF_OR | BPF_K:
    case BPF_ALU | BPF_OR | BPF_X:
    case BPF_ALU | BPF_XOR | BPF_K:
    case BPF_ALU | BPF_XOR | BPF_X:
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_LSH | BPF_X:
    case BPF_ALU | BPF_RSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_X:
    case BPF_ALU | BPF_NEG:
        return true;
    default:
        return false;
    }
}

/* Instructions that every use has. */
static bool is_common(uint16_t code)
{
    switch (code) {
    case BPF_LD | BPF_IMM:
    case BPF_LD | BPF_MEM:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LDX | BPF_IMM:
    case BPF_LDX | BPF_MEM:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_ST:
    case BPF_STX:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_JMP | BPF_JA:
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JEQ | BPF_X:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_X:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_X:
    case BPF_JMP | BPF_JSET | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_X:
        return true;
    default:
        return is_alu(code);
    }
}

static bool is_packet_only(uint16_t code)
{
    switch (code) {
    case BPF_LD | BPF_H | BPF_ABS:
    case BPF_LD | BPF_B | BPF_ABS:
    case BPF_LD | BPF_W | BPF_IND:
    case BPF_LD | BPF_H | BPF_IND:
    case BPF_LD | BPF_B | BPF_IND:
    case BPF_LDX | BPF_B | BPF_MSH:
    case BPF_ALU | BPF_MOD | BPF_K:
    case BPF_ALU | BPF_MOD | BPF_X:
        return true;
    default:
        return false;
    }
}

/* The constant makes sense, and a jump stays inside the program. */
static bool operand_ok(const struct sock_filter *f, size_t pc, size_t len)
{
    size_t left = len - pc - 1;
    switch (f->code) {
    case BPF_ALU | BPF_DIV | BPF_K:
    case BPF_ALU | BPF_MOD | BPF_K:
        return f->k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
        return f->k < 32;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
        return f->k < BPF_MEMWORDS;
    case BPF_JMP | BPF_JA:
        return f->k < left;
    default:
        return BPF_CLASS(f->code) != BPF_JMP || (f->jt < left && f->jf < left);
    }
}

static bool load_ok(const struct sock_filter *f, enum cbpf_use use)
{
    if (f->code != (BPF_LD | BPF_W | BPF_ABS))
        return true;
    if (use == CBPF_SECCOMP)
        return f->k < sizeof(struct seccomp_data) && f->k % 4 == 0;
    /* Ancillary data that do not exist. */
    return f->k < (uint32_t)SKF_AD_OFF || f->k < (uint32_t)SKF_AD_OFF + SKF_AD_MAX;
}

static bool instruction_ok(const struct sock_filter *prog, size_t pc, size_t len, enum cbpf_use use)
{
    const struct sock_filter *f = &prog[pc];
    if (!is_common(f->code) && !(use == CBPF_PACKET && is_packet_only(f->code)))
        return false;
    return operand_ok(f, pc, len) && load_ok(f, use);
}

/* No path may read a memory word that it has not written. `valid`: by instruction, the words that
 * every jump to it has written. */
static bool memory_ok(const struct sock_filter *prog, size_t len)
{
    uint16_t valid[CBPF_MAX_INSNS], now = 0;
    memset(valid, 0xff, len * sizeof(*valid));
    for (size_t pc = 0; pc < len; pc++) {
        const struct sock_filter *f = &prog[pc];
        now &= valid[pc];
        switch (f->code) {
        case BPF_ST:
        case BPF_STX:
            now |= (uint16_t)(1u << f->k);
            break;
        case BPF_LD | BPF_MEM:
        case BPF_LDX | BPF_MEM:
            if (!(now & 1u << f->k))
                return false;
            break;
        case BPF_JMP | BPF_JA:
            valid[pc + 1 + f->k] &= now;
            now = ALL_VALID;
            break;
        default:
            if (BPF_CLASS(f->code) != BPF_JMP)
                break;
            valid[pc + 1 + f->jt] &= now;
            valid[pc + 1 + f->jf] &= now;
            now = ALL_VALID;
            break;
        }
    }
    return true;
}

int cbpf_check(const struct sock_filter *prog, size_t len, enum cbpf_use use)
{
    if (len == 0 || len > CBPF_MAX_INSNS)
        return -EINVAL;
    for (size_t pc = 0; pc < len; pc++)
        if (!instruction_ok(prog, pc, len, use))
            return -EINVAL;
    uint16_t last = prog[len - 1].code;
    if (last != (BPF_RET | BPF_K) && last != (BPF_RET | BPF_A))
        return -EINVAL;
    return memory_ok(prog, len) ? 0 : -EINVAL;
}

/* ---- running ---- */

struct machine {
    uint32_t a, x, mem[BPF_MEMWORDS];
    const struct seccomp_data *call;  /* of one kind, */
    const struct cbpf_packet *packet; /* or the other */
};

static bool ancillary(const struct cbpf_packet *p, uint32_t what, uint32_t *ret)
{
    switch (what) {
    case SKF_AD_PROTOCOL:
        *ret = p->protocol;
        return true;
    case SKF_AD_PKTTYPE:
        *ret = p->pkttype;
        return true;
    case SKF_AD_IFINDEX:
        *ret = p->ifindex;
        return true;
    case SKF_AD_HATYPE:
        *ret = p->hatype;
        return true;
    case SKF_AD_MARK:
        *ret = p->mark;
        return true;
    case SKF_AD_CPU:
        *ret = p->cpu;
        return true;
    case SKF_AD_QUEUE:
    case SKF_AD_RXHASH:
    case SKF_AD_VLAN_TAG:
    case SKF_AD_VLAN_TAG_PRESENT:
    case SKF_AD_NLATTR:
    case SKF_AD_NLATTR_NEST:
    case SKF_AD_PAY_OFFSET:
        *ret = 0;
        return true;
    default:
        return false;
    }
}

/* `size` bytes in network order; false: beyond the packet. */
static bool load_packet(const struct cbpf_packet *p, uint32_t offset, unsigned size, uint32_t *ret)
{
    uint64_t at = offset;
    if (offset >= (uint32_t)SKF_AD_OFF && offset < (uint32_t)SKF_AD_OFF + SKF_AD_MAX)
        return ancillary(p, offset - (uint32_t)SKF_AD_OFF, ret);
    if (offset >= (uint32_t)SKF_LL_OFF && offset < (uint32_t)SKF_NET_OFF)
        at = offset - (uint32_t)SKF_LL_OFF;
    else if (offset >= (uint32_t)SKF_NET_OFF && offset < (uint32_t)SKF_AD_OFF)
        at = (uint64_t)(offset - (uint32_t)SKF_NET_OFF) + p->net_offset;
    if (at > p->len || size > p->len - at)
        return false;
    *ret = 0;
    for (unsigned i = 0; i < size; i++)
        *ret = *ret << 8 | p->data[at + i];
    return true;
}

static unsigned load_size(uint16_t code)
{
    return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

static bool load(struct machine *m, const struct sock_filter *f)
{
    switch (BPF_MODE(f->code)) {
    case BPF_IMM:
        m->a = f->k;
        return true;
    case BPF_MEM:
        m->a = m->mem[f->k];
        return true;
    case BPF_LEN:
        m->a = m->call ? (uint32_t)sizeof(*m->call) : (uint32_t)m->packet->len;
        return true;
    case BPF_IND:
        return load_packet(m->packet, m->x + f->k, load_size(f->code), &m->a);
    default:
        if (!m->call)
            return load_packet(m->packet, f->k, load_size(f->code), &m->a);
        memcpy(&m->a, (const char *)m->call + f->k, sizeof(m->a));
        return true;
    }
}

static bool load_index(struct machine *m, const struct sock_filter *f)
{
    switch (BPF_MODE(f->code)) {
    case BPF_IMM:
        m->x = f->k;
        return true;
    case BPF_MEM:
        m->x = m->mem[f->k];
        return true;
    case BPF_LEN:
        m->x = m->call ? (uint32_t)sizeof(*m->call) : (uint32_t)m->packet->len;
        return true;
    default: /* BPF_MSH: the length of an IP header */
        if (!load_packet(m->packet, f->k, 1, &m->x))
            return false;
        m->x = (m->x & 0xf) << 2;
        return true;
    }
}

/* False: a division by zero, which ends the program with 0. */
static bool compute(struct machine *m, const struct sock_filter *f)
{
    uint32_t operand = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
    switch (BPF_OP(f->code)) {
    case BPF_ADD:
        m->a += operand;
        break;
    case BPF_SUB:
        m->a -= operand;
        break;
    case BPF_MUL:
        m->a *= operand;
        break;
    case BPF_DIV:
        if (operand == 0)
            return false;
        m->a /= operand;
        break;
    case BPF_MOD:
        if (operand == 0)
            return false;
        m->a %= operand;
        break;
    case BPF_AND:
        m->a &= operand;
        break;
    case BPF_OR:
        m->a |= operand;
        break;
    case BPF_XOR:
        m->a ^= operand;
        break;
    case BPF_LSH:
        m->a <<= operand & 31;
        break;
    case BPF_RSH:
        m->a >>= operand & 31;
        break;
    case BPF_NEG:
        m->a = -m->a;
        break;
    }
    return true;
}

/* How many instructions to skip. */
static uint32_t jump(const struct machine *m, const struct sock_filter *f)
{
    uint32_t operand = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
    bool taken = false;
    switch (BPF_OP(f->code)) {
    case BPF_JA:
        return f->k;
    case BPF_JEQ:
        taken = m->a == operand;
        break;
    case BPF_JGE:
        taken = m->a >= operand;
        break;
    case BPF_JGT:
        taken = m->a > operand;
        break;
    case BPF_JSET:
        taken = m->a & operand;
        break;
    }
    return taken ? f->jt : f->jf;
}

static uint32_t run(struct machine *m, const struct sock_filter *f)
{
    for (;; f++) {
        switch (BPF_CLASS(f->code)) {
        case BPF_LD:
            if (!load(m, f))
                return 0;
            break;
        case BPF_LDX:
            if (!load_index(m, f))
                return 0;
            break;
        case BPF_ST:
            m->mem[f->k] = m->a;
            break;
        case BPF_STX:
            m->mem[f->k] = m->x;
            break;
        case BPF_ALU:
            if (!compute(m, f))
                return 0;
            break;
        case BPF_JMP:
            f += jump(m, f);
            break;
        case BPF_RET:
            return BPF_RVAL(f->code) == BPF_A ? m->a : f->k;
        case BPF_MISC:
            if (BPF_MISCOP(f->code) == BPF_TAX)
                m->x = m->a;
            else
                m->a = m->x;
            break;
        }
    }
}

uint32_t cbpf_run_seccomp(const struct sock_filter *prog, const struct seccomp_data *data)
{
    struct machine m = {.call = data};
    return run(&m, prog);
}

uint32_t cbpf_run_packet(const struct sock_filter *prog, const struct cbpf_packet *packet)
{
    struct machine m = {.packet = packet};
    return run(&m, prog);
}
