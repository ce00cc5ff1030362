/* hash_bytes(): eight bytes a step, the last ones zero-padded with the length mixed in. */
#include "base/hash.h"
#include <string.h>

uint64_t hash_seed;

void hash_init(uint64_t seed)
{
    hash_seed = seed;
}

uint64_t hash_bytes(const void *data, size_t len)
{
    const char *p = data;
    uint64_t h = hash_u64(len);
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t chunk;
        memcpy(&chunk, p, 8);
        h = hash_u64(h ^ chunk);
    }
    uint64_t rest = 0;
    memcpy(&rest, p, len);
    return hash_u64(h ^ rest);
}
