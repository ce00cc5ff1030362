/*
 * Assertions. assert() states a precondition of our own code and is compiled out in release builds;
 * assert_always() stays: it guards what would otherwise become memory corruption. Neither is ever
 * used on input from a guest, a client, a file or the host.
 */
#pragma once

_Noreturn void assert_failed(const char *expr, const char *file, int line);

#define assert_always(expr) \
    (__builtin_expect(!!(expr), 1) ? (void)0 : assert_failed(#expr, __FILE__, __LINE__))

#undef assert
#ifdef NDEBUG
#define assert(expr) ((void)sizeof(!(expr)))
#else
#define assert(expr) assert_always(expr)
#endif
