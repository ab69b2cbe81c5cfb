#!/usr/bin/perl
# Answers every request with the greeting of its configuration, which it reads once, when it starts.
use strict;
use warnings;
use Socket;

my %conf;
open(my $file, '<', $ARGV[0]) or die "$ARGV[0]: $!\n";
while (<$file>) {
  $conf{$1} = $2 if /^(\w+) = (.*)$/;
}
close($file);

socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
bind($server, sockaddr_in($conf{port}, INADDR_ANY)) or die "port $conf{port}: $!\n";
listen($server, SOMAXCONN) or die "listen: $!\n";
while (accept(my $client, $server)) {
  sysread($client, my $request, 4096);
  my $body = "$conf{greeting}\n";
  syswrite($client, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " . length($body) . "\r\n\r\n$body");
  close($client);
}
