# Who sends VRRP adverts here: "--", SECONDS, then pairs of interface and family. Packets are taken before the firewall sees them.
import array, select, signal, socket, struct, sys, time

words = sys.argv[sys.argv.index("--") + 1:]
left = float(words.pop(0))
signal.alarm(int(left) + 2)
end = time.monotonic() + left
ears = {}
said = set()


def say(line):
    if line not in said:
        said.add(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def listen(nic, name):
    six = name == "ipv6"
    family = socket.AF_INET6 if six else socket.AF_INET
    index = socket.if_nametoindex(nic)
    # Switches and cards pass on what somebody has asked for.
    group = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if six:
            group.setsockopt(41, 20, socket.inet_pton(family, "ff02::12") + struct.pack("@I", index))
        else:
            group.setsockopt(0, 35, socket.inet_pton(family, "224.0.0.18") + struct.pack("@4xi", index))
    except OSError:
        pass
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    # The kernel keeps back all but protocol 112.
    steps = ((0x30, 0, 0, 6 if six else 9), (0x15, 0, 1, 112), (6, 0, 0, 65535), (6, 0, 0, 0))
    code = array.array("B", b"".join(struct.pack("=HBBI", *step) for step in steps))
    packets.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", len(steps), code.buffer_info()[0]))  # SO_ATTACH_FILTER
    packets.bind((nic, 0x86DD if six else 0x0800))
    ears[packets] = (nic, name, family, group)
    say("vrrp listened %s %s" % (nic, name))


def hear(packets):
    nic, name, family, _ = ears[packets]
    packet = bytearray(packets.recv(2048))
    size, start = (16, 40) if name == "ipv6" else (4, 4 * (packet[0] & 15))
    if start < 20 or len(packet) < start + 8 or packet[start] & 15 != 1:
        return

    def text(place):
        return socket.inet_ntop(family, bytes(packet[place:place + size]))

    places = [start + 8 + size * each for each in range(min(packet[start + 3], 20))]
    addresses = ",".join(text(place) for place in places if place + size <= len(packet)) or "-"
    source = text(8 if name == "ipv6" else 12)
    say("vrrp advert %s %s %d %d %s %s" % (nic, name, packet[start + 1], packet[start] >> 4, source, addresses))


for nic, name in zip(words[::2], words[1::2]):
    try:
        listen(nic, name)
    except OSError:
        pass
while ears and len(said) < 200:
    left = end - time.monotonic()
    ready = select.select(list(ears), [], [], left)[0] if left > 0 else []
    if not ready:
        break
    for packets in ready:
        try:
            hear(packets)
        except OSError:
            pass
