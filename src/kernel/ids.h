/* Changing one's own credentials: setuid(2) and its family, setgroups, capset, with the effects of
 * capabilities(7). */
#pragma once
#include "base/base.h"

NODISCARD int do_setuid(uint32_t uid);
NODISCARD int do_setgid(uint32_t gid);
NODISCARD int do_setreuid(uint32_t ruid, uint32_t euid); /* -1: leave */
NODISCARD int do_setregid(uint32_t rgid, uint32_t egid);
NODISCARD int do_setresuid(uint32_t ruid, uint32_t euid, uint32_t suid);
NODISCARD int do_setresgid(uint32_t rgid, uint32_t egid, uint32_t sgid);
uint32_t do_setfsuid(uint32_t uid); /* the old one */
uint32_t do_setfsgid(uint32_t gid);
NODISCARD int do_setgroups(const uint32_t *groups, unsigned count); /* permission checked by the caller */
NODISCARD int do_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
