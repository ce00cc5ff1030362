/* prctl(2) and arch_prctl(2). */
#pragma once
#include "base/base.h"

NODISCARD int64_t prctl_machine(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d); /* do_prctl's other half */
int64_t do_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
NODISCARD int64_t do_arch_prctl(int option, uint64_t addr);
