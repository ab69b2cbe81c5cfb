# Who sends VRRP adverts here: SECONDS, then pairs of interface and family. Packets are taken before the firewall sees them.
use strict;
use Socket qw(AF_INET AF_INET6 SOCK_DGRAM SOL_SOCKET inet_ntop inet_pton);

my $left = shift;
# Where select does not say how much time is left, and whatever else may happen.
$SIG{ALRM} = sub { exit 0 };
alarm int($left) + 2;
$| = 1;

my (@ears, %said);
my $bits = "";
while (my ($nic, $name) = splice @ARGV, 0, 2) {
  my $six = $name eq "ipv6";
  my $family = $six ? AF_INET6 : AF_INET;
  # Switches and cards pass on what somebody has asked for.
  socket my $group, $family, SOCK_DGRAM, 0 or next;
  my $request = pack "a16 x24", $nic;
  ioctl $group, 0x8933, $request or next; # SIOCGIFINDEX
  my $index = unpack "x16 i", $request;
  $six ? setsockopt $group, 41, 20, inet_pton($family, "ff02::12") . pack("I", $index)
       : setsockopt $group, 0, 35, inet_pton($family, "224.0.0.18") . pack("x4 i", $index);
  socket my $packets, 17, SOCK_DGRAM, 0 or next; # AF_PACKET
  # The kernel keeps back all but protocol 112.
  my $code = pack "SCCL" x 4, 0x30, 0, 0, $six ? 6 : 9, 0x15, 0, 1, 112, 6, 0, 0, 65535, 6, 0, 0, 0;
  setsockopt $packets, SOL_SOCKET, 26, pack("S x![P] P", 4, $code) or next; # SO_ATTACH_FILTER
  bind $packets, pack("S n l S C C a8", 17, $six ? 0x86dd : 0x0800, $index, 0, 0, 0, "") or next;
  vec($bits, fileno $packets, 1) = 1;
  push @ears, { nic => $nic, name => $name, family => $family, group => $group, packets => $packets };
  print "vrrp listened $nic $name\n";
}

while (@ears && $left > 0 && keys %said < 200) {
  (my $count, $left) = select my $ready = $bits, undef, undef, $left;
  last if $count <= 0;
  hear($_) for grep { vec $ready, fileno $_->{packets}, 1 } @ears;
}

sub hear {
  my ($ear) = @_;
  defined recv $ear->{packets}, my $packet, 2048, 0x40 or return; # MSG_DONTWAIT
  my $six = $ear->{name} eq "ipv6";
  my ($size, $start) = $six ? (16, 40) : (4, 4 * (ord($packet) & 15));
  return if $start < 20 || length $packet < $start + 8;
  my ($type, $id, $count) = unpack "x$start C C x C", $packet;
  return if ($type & 15) != 1;
  my $text = sub { inet_ntop $ear->{family}, substr $packet, $_[0], $size };
  my @places = grep { $_ + $size <= length $packet } map { $start + 8 + $size * $_ } 0 .. ($count > 20 ? 20 : $count) - 1;
  my $addresses = join(",", map { $text->($_) } @places) || "-";
  my $line = join " ", "vrrp advert", $ear->{nic}, $ear->{name}, $id, $type >> 4, $text->($six ? 8 : 12), $addresses;
  print "$line\n" unless $said{$line}++;
}
