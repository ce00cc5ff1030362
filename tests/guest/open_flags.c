/* open(2): what each flag does to files, directories and links that are there or not. */
#include "check.h"
#include <sys/stat.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

int main(void)
{
    make("file", "hello");
    CHECK(mkdir("dir", 0755) == 0 && symlink("file", "link") == 0 &&
          symlink("nowhere", "dangling") == 0);
    CHECK(symlink("loop", "loop") == 0);
    CHECK_ERR(open("absent", O_RDONLY), ENOENT);
    CHECK_ERR(open("", O_RDONLY), ENOENT);
    CHECK_ERR(open("file/x", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("file/", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open("dir", O_WRONLY), EISDIR);
    CHECK_ERR(open("dir", O_RDWR), EISDIR);
    CHECK_ERR(open("dir", O_CREAT | O_RDONLY, 0644), EISDIR);
    CHECK_ERR(open("new/", O_CREAT | O_WRONLY, 0644), EISDIR);
    CHECK_ERR(open(".", O_CREAT | O_WRONLY, 0644), EISDIR);
    CHECK_ERR(open("file", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
    CHECK_ERR(open("link", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
    CHECK_ERR(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
    CHECK_ERR(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERR(open("link", O_RDONLY | O_NOFOLLOW | O_CREAT, 0644), ELOOP);
    CHECK_ERR(open("link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open("loop", O_RDONLY), ELOOP);
    CHECK_ERR(open("loop", O_RDONLY | O_CREAT, 0644), ELOOP);
    int fd = open("dangling", O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0 && close(fd) == 0 && access("nowhere", F_OK) == 0);
    char long_name[300];
    memset(long_name, 'x', sizeof long_name);
    long_name[256] = '\0';
    CHECK_ERR(open(long_name, O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
    long_name[255] = '\0';
    CHECK((fd = open(long_name, O_CREAT | O_WRONLY, 0644)) >= 0 && close(fd) == 0 &&
          unlink(long_name) == 0);
    CHECK_ERR(open((char *)8, O_RDONLY), EFAULT);
    return 0;
}
