/* sendfile and copy_file_range: positions, ends, overlaps, wrong files. */
#include "check.h"
#include <sys/sendfile.h>
#include <sys/stat.h>

int main(void)
{
    static char data[300000], back[300000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7);
    int in = open("in", O_CREAT | O_RDWR, 0644), out = open("out", O_CREAT | O_RDWR, 0644), p[2];
    CHECK(write(in, data, sizeof data) == sizeof data);
    off_t off = 100;
    CHECK(sendfile(out, in, &off, 1000) == 1000 && off == 1100 &&
          lseek(in, 0, SEEK_CUR) == sizeof data);
    CHECK(lseek(in, 0, SEEK_SET) == 0 && sendfile(out, in, NULL, 50) == 50 &&
          lseek(in, 0, SEEK_CUR) == 50);
    CHECK(pread(out, back, 2000, 0) == 1050 && !memcmp(back, data + 100, 1000) &&
          !memcmp(back + 1000, data, 50));
    off = sizeof data;
    CHECK(sendfile(out, in, &off, 10) == 0);
    CHECK(ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0);
    off = 0;
    CHECK(sendfile(out, in, &off, 1 << 30) == sizeof data &&
          pread(out, back, sizeof back, 0) == sizeof back);
    CHECK(!memcmp(back, data, sizeof data));
    CHECK(pipe(p) == 0);
    CHECK_ERR(sendfile(out, p[0], NULL, 10), EINVAL);
    off = 0;
    CHECK(sendfile(p[1], in, &off, 5) == 5 && read(p[0], back, 10) == 5 && !memcmp(back, data, 5));
    loff_t from = 10, to = 400000;
    CHECK(copy_file_range(in, &from, out, &to, 1000, 0) == 1000 && from == 1010 && to == 401000);
    CHECK(pread(out, back, 1000, 400000) == 1000 && !memcmp(back, data + 10, 1000));
    from = 0, to = 10;
    CHECK_ERR(copy_file_range(in, &from, in, &to, 100, 0), EINVAL);
    CHECK_ERR(copy_file_range(in, &from, out, &to, 100, 1), EINVAL);
    CHECK_ERR(copy_file_range(p[0], NULL, out, &to, 100, 0), EINVAL);
    int dir = open(".", O_RDONLY);
    CHECK_ERR(copy_file_range(dir, NULL, out, &to, 100, 0), EISDIR);
    int ro = open("out", O_RDONLY);
    CHECK_ERR(copy_file_range(in, &from, ro, &to, 100, 0), EBADF);
    return 0;
}
