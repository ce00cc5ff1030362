/*
 * Runs a fuzz target over its corpus without libFuzzer: each file as it is, cut short, and with
 * single bytes changed. Part of the unit tests, so that what a fuzzer once found stays found.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_LIMIT 65536
#define MAX_CHANGED 1024 /* bytes of each input that are changed one by one */

/* A copy in memory of just this size, so that the sanitizer sees every byte read beyond it. */
static void run_once(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_variants(uint8_t *data, size_t size)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    for (size_t i = 0; i < size && i < MAX_CHANGED; i++) {
        uint8_t was = data[i];
        for (size_t v = 0; v < sizeof(values); v++) {
            data[i] = values[v];
            run_once(data, size);
        }
        data[i] = was;
        run_once(data, i);
    }
}

static int run_file(const char *dir, const char *name)
{
    static uint8_t data[INPUT_LIMIT];
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    size_t size = fread(data, 1, sizeof(data), f);
    fclose(f);
    run_once(data, size);
    run_variants(data, size);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
    if (!d) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    int failed = 0, count = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') {
            failed |= run_file(argv[1], e->d_name);
            count++;
        }
    closedir(d);
    printf("%d inputs\n", count);
    return failed || count == 0;
}
