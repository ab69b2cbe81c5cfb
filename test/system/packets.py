"""Packets as no socket of Node's sends them. `send` reads lines NUMBER PROTOCOL FROM TO [PORT [FLAGS]], where a PORT below zero is that of
the sender, and that of ICMP is its type; `listen PROTOCOL…` prints the NUMBER of each packet that has come through the firewall, until it is
ended."""

import select
import socket
import struct
import sys


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def place(address):
    return socket.getaddrinfo(address, None, family(address), socket.SOCK_STREAM)[0][4]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def transport(number, protocol, source, target, port, flags):
    """TCP or UDP; the port that is not given tells the number. ICMP, whose identifier does."""
    if protocol == 1:
        body = struct.pack("!BBHHH", port, 0, 0, 40000 + number, 1) + b"\0" * 12
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
            icmp += [each] if protocol == "1" else []
    card = socket.if_nametoindex("eth0")
    group = socket.inet_aton("224.0.0.18") + struct.pack("=4si", b"\0" * 4, card)
    group6 = socket.inet_pton(socket.AF_INET6, "ff02::12") + struct.pack("=i", card)
    for each, kind in sockets.items():
        if kind == socket.AF_INET:
            each.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        else:
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group6)
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
