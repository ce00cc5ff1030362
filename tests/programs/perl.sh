#!/bin/sh
# needs: perl
# timeout: 60
# Perl: files, pipes, fork, signals, sockets, sorting, its own modules.
exec perl - <<'P'
use strict; use warnings;
use File::Temp qw(tempdir); use File::Find; use File::Copy; use POSIX qw(:sys_wait_h strftime);
use IO::Select; use IO::Handle; use Socket; use Time::HiRes qw(sleep alarm time); use Digest::SHA qw(sha1_hex);
$| = 1;
my $d = tempdir(CLEANUP => 1);
for my $i (1 .. 200) { open(my $f, '>', "$d/$i") or die $!; print $f "line $_\n" for 1 .. $i; close $f; }
my ($n, $s) = (0, 0);
find(sub { if (-f) { $n++; $s += -s _ } }, $d);
print "found $n $s\n";
copy("$d/200", "$d/copy") or die; rename("$d/copy", "$d/moved") or die;
open(my $f, '<', "$d/moved") or die; my @l = <$f>; close $f; print scalar(@l), " $l[-1]";
my $pid = fork // die; if (!$pid) { POSIX::_exit(42) } waitpid($pid, 0); print "child ", $? >> 8, "\n";
pipe(my $r, my $w) or die;
if (!(fork // die)) { close $r; print $w "from child $_\n" for 1 .. 1000; close $w; POSIX::_exit(0) }
close $w; my $count = () = <$r>; print "pipe $count\n"; wait;
print `echo backtick; exit 3`, $? >> 8, "\n";
open(my $p, '|-', 'sort -n | tail -2') or die; print $p "$_\n" for 1 .. 50; close $p;
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 0.1; select(undef, undef, undef, 5); }; print "caught $@";
local $SIG{USR1} = sub { print "usr1\n" }; kill USR1 => $$; sleep 0.05;
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die; $a->autoflush(1);
print $a "hello\n"; my $sel = IO::Select->new($b); print "ready ", scalar($sel->can_read(1)) ? 1 : 0, " ", scalar(<$b>);
my @kids = map { my $k = fork // die; if (!$k) { POSIX::_exit($_) } $k } 1 .. 10;
my $sum = 0; for (@kids) { waitpid($_, 0); $sum += $? >> 8 } print "sum $sum\n";
system('sh', '-c', 'kill -15 $$'); print "signal ", $? & 127, "\n";
print sha1_hex(join ',', map { $_ ** 2 } 1 .. 1000), "\n";
open(my $lock, '>', "$d/lock") or die; print flock($lock, 2) ? "locked\n" : "no\n";
mkdir "$d/sub" or die; print -d "$d/sub" ? "dir\n" : ""; rmdir "$d/sub"; print -e "$d/sub" ? "" : "gone\n";
print "umask ", sprintf('%o', umask), "\n"; my @st = stat("$d/1"); printf "%o %d %d\n", $st[2], $st[3], $st[7];
utime(1000000000, 1000000000, "$d/1"); print +(stat "$d/1")[9], "\n";
print join(' ', sort { $a <=> $b } (10, 9, 100, 1)), "\n";
opendir(my $dh, $d) or die; my @e = sort grep { /^1\d$/ } readdir $dh; print "@e\n";
P
