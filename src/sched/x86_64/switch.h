/* What the scheduler needs from the machine: switching stacks, laying out a new one, relaxing in a spin loop. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Saves the registers on this stack and its pointer in *save_sp, and goes on where load_sp was left. */
void stack_switch(void **save_sp, void *load_sp);

/* Prepares a stack so that stack_switch() to the pointer returned calls entry() on it. `top` is 16-byte aligned. */
static inline void *stack_prepare(void *top, void (*entry)(void))
{
    void **sp = top;
    *--sp = NULL; /* entry()'s return address: the end of every back trace */
    *--sp = (void *)(uintptr_t)entry;
    for (int i = 0; i < 6; i++)
        *--sp = NULL;
    return sp;
}

static inline void cpu_relax(void)
{
    __builtin_ia32_pause();
}
