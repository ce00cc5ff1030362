// Canonical editing: erase, word erase, kill, literal next, reprint, end of file, what is echoed.
#include "ptypair.h"

static void line(const char *keys, const char *echoed, const char *want)
{
    char buf[200];
    pty_type(keys);
    CHECK_SEEN(master, echoed);
    ssize_t n = read(slave, buf, sizeof buf - 1);
    buf[n > 0 ? n : 0] = 0;
    if (strcmp(buf, want)) {
        printf("read '%s', not '%s'\n", buf, want);
        check_failures++;
    }
}

int main(void)
{
    pty_make();
    line("abcd\x7f\x7f"
         "x\n",
         "abcd\\H \\H\\H \\Hx\\M\\J", "abx\n");
    line("one two\027"
         "2\n",
         "one two\\H \\H\\H \\H\\H \\H2\\M\\J", "one 2\n");
    line("gone\025"
         "here\n",
         "gone\\H \\H\\H \\H\\H \\H\\H \\Hhere\\M\\J", "here\n");
    line("a\026\003"
         "b\n",
         "a^\\H^Cb\\M\\J", "a\003b\n");
    line("x\001y\x7f\x7f\n", "x^Ay\\H \\H\\H \\H\\H \\H\\M\\J", "x\n");
    line("t\ty\x7f\x7f\n", "t\\Iy\\H \\H\\H\\H\\H\\H\\H\\H\\H\\M\\J", "t\n");
    line("re\022\n", "re^R\\M\\Jre\\M\\J", "re\n");
    line("part\004", "part", "part");
    line("\004", "", "");
    line("\x7f\x7fok\n", "ok\\M\\J", "ok\n");
    struct termios t;
    CHECK_EQ(tcgetattr(slave, &t), 0);
    t.c_iflag |= IUTF8;
    t.c_cc[VEOL] = ';';
    CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
    line("h\xc3\xa9\x7fi\n", "h\xc3\xa9\\H \\Hi\\M\\J", "hi\n");
    line("semi;", "semi;", "semi;");
    pty_flags(ECHO, ECHONL);
    line("secret\n", "\\M\\J", "secret\n");
    pty_flags(ECHO | ECHONL, 0);
    line("quiet\x7f\n", "", "quie\n");
    CHECK_EQ(tcgetattr(slave, &t), 0);
    t.c_iflag |= INLCR;
    t.c_iflag &= ~(tcflag_t)ICRNL;
    CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
    pty_flags(ICANON, 0);
    line("a\nb\r", "", "a\rb\r");
    return check_done();
}
