/* An OpenMP program of 4 threads with a barrier after each short loop (gcc -fopenmp): milliseconds. */
#include <omp.h>
#include <stdio.h>

int main(void)
{
    static double a[4096];
    double start = omp_get_wtime();
    for (int round = 0; round < 2000; round++) {
#pragma omp parallel for num_threads(4) schedule(static)
        for (int i = 0; i < 4096; i++)
            a[i] = a[i] * 0.5 + i + round;
    }
    printf("%.1f\n", (omp_get_wtime() - start) * 1e3);
    return a[7] < 0;
}
