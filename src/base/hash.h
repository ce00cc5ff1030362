/* Hash functions for the kernel's tables: seeded once per process so that guests cannot aim at a bucket. */
#pragma once
#include "base/base.h"

extern uint64_t hash_seed; /* set once at start by hash_init() */
void hash_init(uint64_t seed);

static inline uint64_t hash_u64(uint64_t v)
{
    v ^= hash_seed;
    v *= 0x9e3779b97f4a7c15ULL;
    v ^= v >> 32;
    v *= 0xd6e8feb86659fd93ULL;
    return v ^ (v >> 32);
}

uint64_t hash_bytes(const void *data, size_t len);
