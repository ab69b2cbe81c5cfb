"""Packets as no socket of Node's sends them. `send` reads lines NUMBER PROTOCOL FROM TO [PORT [FLAGS]], where a PORT below zero is that of
the sender, and that of ICMP is its type; the FLAGS of an error of ICMP are a port of TO, and it is about a connection that FROM has begun
there just before. `listen PROTOCOL…` prints the NUMBER of each packet that has come through the firewall, until it is ended."""

import select
import socket
import struct
import sys
import time


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def place(address):
    return socket.getaddrinfo(address, None, family(address), socket.SOCK_STREAM)[0][4]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


# Of connections that errors are about, none of which is listened for. A firewall remembers those of the last run for ten seconds.
begun = 50000 + time.monotonic_ns() // 10**8 % 240 * 64

# Protocol and type of errors, each with its code.
errors = {(1, 3): 4, (1, 5): 1, (1, 11): 0, (58, 1): 0, (58, 2): 0, (58, 3): 0}


def about(number, source, target, port):
    """What an error quotes: an answer of the target to what `begin` has sent."""
    ports = struct.pack("!HHI", port, begun + number, 1)
    ends = [socket.inet_pton(family(source), each) for each in (target, source)]
    if family(source) == socket.AF_INET6:
        return struct.pack("!IHBB", 6 << 28, 1400, 6, 64) + b"".join(ends) + ports
    head = struct.pack("!BBHHHBBH", 0x45, 0, 1420, 0, 0x4000, 64, 6, 0) + b"".join(ends)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + ports


def begin(number, source, target, port):
    """The first packet of a connection."""
    out = socket.socket(family(source), socket.SOCK_RAW, 6)
    out.bind(place(source))
    out.sendto(transport(begun - 40000 + number, 6, source, target, port, 2), place(target))


def transport(number, protocol, source, target, port, flags):
    """TCP or UDP; the port that is not given tells the number. ICMP, whose identifier does, or what an error leaves unused."""
    if protocol in (1, 58):
        error = errors.get((protocol, port))
        quoted = b"\0" * 12 if error is None else about(number, source, target, flags)
        body = struct.pack("!BBHHH", port, error or 0, 0, 40000 + number, 1280) + quoted
        return body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    ports = (40000 + number, port) if port > 0 else (-port, 40000 + number)
    if protocol == 6:
        body = struct.pack("!HHIIBBHHH", *ports, 1, 1, 5 << 4, flags, 1024, 0, 0)
        at = 16
    else:
        body = struct.pack("!HHHH", *ports, 8, 0)
        at = 6
    ends = b"".join(socket.inet_pton(family(source), each) for each in (source, target))
    total = checksum(ends + struct.pack("!II", len(body), protocol) + body)
    return body[:at] + struct.pack("!H", total) + body[at + 2 :]


def send():
    for line in sys.stdin:
        number, protocol, source, target, *more = line.split()
        number, protocol = int(number), int(protocol)
        port, flags = [int(each) for each in more + ["0", "2"][len(more) :]]
        if (protocol, port) in errors:
            begin(number, source, target, flags)
        out = socket.socket(family(source), socket.SOCK_RAW, protocol)
        out.bind(place(source))
        other = struct.pack("!H", 40000 + number) + b"\0" * 18
        out.sendto(transport(number, protocol, source, target, port, flags) if port else other, place(target))


def listen(*protocols):
    """Raw sockets see what the chain "input" has let in."""
    sockets, icmp = {}, []
    for kind in (socket.AF_INET, socket.AF_INET6):
        for protocol in protocols:
            each = socket.socket(kind, socket.SOCK_RAW, int(protocol))
            sockets[each] = kind
            icmp += [each] if protocol in ("1", "58") else []
    card = socket.if_nametoindex("eth0")
    group = socket.inet_aton("224.0.0.18") + struct.pack("=4si", b"\0" * 4, card)
    group6 = socket.inet_pton(socket.AF_INET6, "ff02::12") + struct.pack("=i", card)
    for each, kind in sockets.items():
        if kind == socket.AF_INET:
            each.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        else:
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group6)
    # A connection that is refused at once is forgotten at once, and no error is about it.
    web = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
    print("listening", flush=True)
    while True:
        for each in select.select(list(sockets), [], [])[0]:
            data = each.recv(4096)
            head = data[(data[0] & 15) * 4 :] if sockets[each] == socket.AF_INET else data
            head = head[4:] if each in icmp else head
            for port in struct.unpack("!HH", head[:4]):
                if 40000 <= port < 41000:
                    print(port - 40000, flush=True)


{"send": send, "listen": listen}[sys.argv[1]](*sys.argv[2:])
