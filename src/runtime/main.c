/* picket: the command line. */
#include <stdio.h>

int main(void)
{
    fprintf(stderr, "picket: no command is built in yet\n");
    return 125;
}
