/*
 * picket-kernel: the process that is a sandbox's kernel. The runtime starts it inside fresh namespaces; its life is
 * the init table in boot/init.c.
 */
#include <stdio.h>

int main(void)
{
    fprintf(stderr, "picket-kernel: no kernel is built in yet\n");
    return 125;
}
