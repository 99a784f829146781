# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMB 3.1.1 client with any number of channels, and leases.

smbtorture's tests fix the number of channels, and none leaves a channel with an
unfinished request.  This client has only the parts of [MS-SMB2] that tests and
benchmarks need: NTLMv2, signing by HMAC-SHA256 (the one algorithm that Python
has), no encryption, one outstanding request a channel.
"""

import hashlib
import hmac
import os
import socket
import struct

NEGOTIATE, SESSION_SETUP, CREATE, CLOSE = 0, 1, 5, 6
TREE_CONNECT, TREE_DISCONNECT = 3, 4
READ, WRITE, ECHO, NOTIFY, BREAK = 8, 9, 13, 15, 18
R, H, W = 1, 2, 4  # what a lease allows: read, handle, write
STATUS_PENDING, MORE_PROCESSING = 0x103, 0xC0000016
PATIENCE = 60  # seconds until an answer is given up
UNSOLICITED = 0xFFFFFFFFFFFFFFFF
SIGNED, ASYNC = 8, 2
NTLM_FLAGS = 0x20888215  # UNICODE, TARGET, SIGN, NTLM2, TARGET_INFO, 128


class Error(Exception):
    pass


def md4(data):
    """MD4, which OpenSSL no longer has and NTLM still needs."""
    def rotate(x, n):
        x &= 0xFFFFFFFF
        return (x << n | x >> (32 - n)) & 0xFFFFFFFF

    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    rounds = (
        (lambda b, c, d: b & c | ~b & d, 0, range(16), (3, 7, 11, 19)),
        (lambda b, c, d: b & c | b & d | c & d, 0x5A827999,
         [i // 4 + i % 4 * 4 for i in range(16)], (3, 5, 9, 13)),
        (lambda b, c, d: b ^ c ^ d, 0x6ED9EBA1,
         [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
         (3, 9, 11, 15)))
    padded = (data + b"\x80" + bytes((55 - len(data)) % 64) +
              struct.pack("<Q", 8 * len(data)))
    for start in range(0, len(padded), 64):
        block = struct.unpack("<16I", padded[start:start + 64])
        a, b, c, d = state
        for function, constant, order, shifts in rounds:
            for i, k in enumerate(order):
                a, b, c, d = d, rotate(
                    a + function(b, c, d) + block[k] + constant,
                    shifts[i % 4]), b, c
        state = [(x + y) & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


def hmac_md5(key, data):
    return hmac.new(key, data, "md5").digest()


def signing_key(key, preauth):
    """SP800-108 in counter mode, one block."""
    return hmac.new(key, b"\0\0\0\1SMBSigningKey\0\0" + preauth +
                    b"\0\0\0\x80", "sha256").digest()[:16]


def ntlm_negotiate():
    return b"NTLMSSP\0" + struct.pack("<II16x", 1, NTLM_FLAGS)


def ntlm_authenticate(challenge, user, password):
    """(message, session key)"""
    nonce = challenge[24:32]
    length, _, offset = struct.unpack("<HHI", challenge[40:48])
    target_info = challenge[offset:offset + length]
    domain = b""
    key = hmac_md5(md4(password.encode("utf-16le")),
                   user.upper().encode("utf-16le") + domain)
    where = target_info.find(struct.pack("<HH", 7, 8))  # the server's time
    time = target_info[where + 4:where + 12] if where >= 0 else bytes(8)
    blob = (b"\1\1" + bytes(6) + time + os.urandom(8) + bytes(4) +
            target_info + bytes(4))
    proof = hmac_md5(key, nonce + blob)
    fields, payload, at = b"", b"", 64
    for data in (bytes(24), proof + blob, domain, user.encode("utf-16le"),
                 "CLIENT".encode("utf-16le"), b""):
        fields += struct.pack("<HHI", len(data), len(data), at + len(payload))
        payload += data
    message = (b"NTLMSSP\0" + struct.pack("<I", 3) + fields +
               struct.pack("<I", NTLM_FLAGS) + payload)
    return message, hmac_md5(key, proof)


def create_contexts(contexts):
    """[(name, data)] as a CREATE request has them."""
    packed = b""
    for number, (name, data) in enumerate(contexts):
        one = struct.pack("<HHHHI4s4x", 16, 4, 0, 24, len(data), name) + data
        if number == len(contexts) - 1:
            return packed + bytes(4) + one
        one += bytes(-(4 + len(one)) % 8)
        packed += struct.pack("<I", 4 + len(one)) + one
    return packed


class Channel:
    """One connection of a client, over a connected socket."""

    def __init__(self, connected, guid):
        self.socket = connected
        self.socket.settimeout(PATIENCE)
        self.message_id = self.session_id = self.tree_id = 0
        self.key = None
        self.preauth = bytes(64)
        self.breaks = []
        salt = os.urandom(32)
        contexts = b""
        for kind, data in ((1, struct.pack("<HHH", 1, len(salt), 1) + salt),
                           (8, struct.pack("<HH", 1, 0))):
            contexts += bytes(-len(contexts) % 8) + struct.pack(
                "<HHI", kind, len(data), 0) + data
        body = struct.pack("<HHHHI", 36, 1, 1, 0, 0x0A) + guid
        body += struct.pack("<IHH", 104, 2, 0) + struct.pack("<H", 0x311)
        body += bytes(104 - 64 - len(body)) + contexts
        self.request(NEGOTIATE, body, preauth=True)
        # from here on each session has a hash of its own
        self.negotiated = self.preauth

    def close(self):
        self.socket.close()

    def hash(self, packet):
        self.preauth = hashlib.sha512(self.preauth + packet).digest()

    def send(self, command, body, key=None):
        """The message id, and the packet."""
        key = key or self.key
        message_id, self.message_id = self.message_id, self.message_id + 1
        head = struct.pack("<4sHHIHHIIQIIQ", b"\xfeSMB", 64, 1, 0, command,
                           64, SIGNED if key else 0, 0, message_id, 0xFEFF,
                           self.tree_id, self.session_id)
        sign = bytes(16)
        if key:
            sign = hmac.new(key, head + sign + body, "sha256").digest()[:16]
        packet = head + sign + body
        self.socket.sendall(struct.pack(">I", len(packet)) + packet)
        return message_id, packet

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise Error("disconnected by the server")
            data += more
        return data

    def receive(self):
        """(message id, status, flags, packet) of the next one."""
        packet = self.read(struct.unpack(">I", self.read(4))[0])
        status, flags = struct.unpack_from("<I4xI", packet, 8)
        message_id = struct.unpack_from("<Q", packet, 24)[0]
        if message_id == UNSOLICITED:
            self.breaks.append(packet[64:])
        return message_id, status, flags, packet

    def wait_for(self, message_id):
        """(status, packet): the final answer."""
        while True:
            received, status, flags, packet = self.receive()
            if received == message_id and not (
                    status == STATUS_PENDING and flags & ASYNC):
                return status, packet

    def request(self, command, body, key=None, preauth=False,
                allowed=(0,)):
        """The answer's packet."""
        message_id, sent = self.send(command, body, key)
        status, packet = self.wait_for(message_id)
        if preauth:
            self.hash(sent)
            if command == NEGOTIATE or status == MORE_PROCESSING:
                self.hash(packet)
        if status not in allowed:
            raise Error(f"command {command}: status {status:#x}")
        return packet

    def session_setup(self, user, password, session=None):
        """A new session, or one more channel of another one's."""
        key = session.key if session else None
        self.session_id = session.session_id if session else 0
        token = ntlm_negotiate()
        for leg in (1, 2):
            body = struct.pack("<HBBIIHHQ", 25, bool(session), 1, 8, 0,
                               88, len(token), 0) + token
            packet = self.request(SESSION_SETUP, body, key, preauth=True,
                                  allowed=(MORE_PROCESSING,) if leg == 1
                                  else (0,))
            self.session_id = struct.unpack_from("<Q", packet, 40)[0]
            if leg == 1:
                offset, length = struct.unpack_from("<HH", packet, 68)
                token, session_key = ntlm_authenticate(
                    packet[offset:offset + length], user, password)
        self.key = signing_key(session_key, self.preauth)

    def tree_connect(self, share):
        path = f"\\\\127.0.0.1\\{share}".encode("utf-16le")
        packet = self.request(TREE_CONNECT, struct.pack(
            "<HHHH", 9, 0, 72, len(path)) + path)
        self.tree_id = struct.unpack_from("<I", packet, 36)[0]

    def tree_disconnect(self):
        self.request(TREE_DISCONNECT, struct.pack("<HH", 4, 0))

    def send_open(self, name, lease=None, directory=False, durable=None):
        """Begin to open; lease: (key, state) asked for.

        durable: the GUID of the handle to be, or (GUID, handle) of one to
        reclaim.
        """
        contexts, level = [], 0
        if lease:
            key, state = lease
            contexts.append((b"RqLs", struct.pack("<16sIIQ", key, state, 0,
                                                  0)))
            level = 0xFF
        if isinstance(durable, tuple):
            guid, handle = durable
            contexts.append((b"DH2C", struct.pack("<16s16sI", handle, guid,
                                                  0)))
        elif durable:
            contexts.append((b"DH2Q", struct.pack("<II8x16s", 0, 0,
                                                  durable)))
        context = create_contexts(contexts)
        name = name.encode("utf-16le")
        padding = bytes(-len(name) % 8)
        body = struct.pack(
            "<HBBIQQIIIIIHHII", 57, 0, level, 2, 0, 0,
            0x120089 if directory else 0x12019F, 0x80, 7,
            1 if directory else 3, 1 if directory else 0x40,
            120, len(name),
            120 + len(name + padding) if context else 0, len(context))
        return self.send(CREATE, body + (name + padding + context or b"\0"))[0]

    def opened(self, message_id):
        """The handle."""
        status, packet = self.wait_for(message_id)
        if status:
            raise Error(f"open: status {status:#x}")
        return packet[64 + 64:64 + 80]

    def open(self, name, lease=None, directory=False, durable=None):
        return self.opened(self.send_open(name, lease, directory, durable))

    def close_handle(self, handle):
        self.request(CLOSE, struct.pack("<HHI", 24, 0, 0) + handle)

    def send_notify(self, handle):
        """Ask for changes in a directory; return when the request is pending."""
        message_id, _ = self.send(NOTIFY, struct.pack(
            "<HHI16sII", 32, 0, 65536, handle, 0x17, 0))
        while True:
            received, status, _, _ = self.receive()
            if received == message_id and status == STATUS_PENDING:
                return

    def send_read(self, handle, size=65536):
        return self.send(READ, struct.pack(
            "<HBBIQ16sIIIHHB", 49, 0, 0, size, 0, handle, 0, 0, 0, 0, 0,
            0))[0]

    def write(self, handle, offset, data):
        self.request(WRITE, struct.pack(
            "<HHIQ16sIIHHI", 49, 112, len(data), offset, handle, 0, 0, 0, 0,
            0) + data)

    def echo(self):
        self.request(ECHO, struct.pack("<HH", 4, 0))

    def write_file(self, handle, data, piece=65536):
        for at in range(0, len(data), piece):
            self.write(handle, at, data[at:at + piece])

    def read_file(self, handle, size, piece=65536, at=0):
        data = b""
        while len(data) < size:
            packet = self.request(READ, struct.pack(
                "<HBBIQ16sIIIHHB", 49, 80, 0, min(piece, size - len(data)),
                at + len(data), handle, 0, 0, 0, 0, 0, 0))
            offset, length = struct.unpack_from("<Bxi", packet, 66)
            data += packet[offset:offset + length]
        return data

    def wait_break(self):
        """(key, new state) of the next lease break."""
        while not self.breaks:
            self.receive()
        packet = self.breaks.pop(0)
        _, _, _, key, _, state = struct.unpack_from("<HHI16sII", packet)
        return key, state

    def ack_break(self, key, state):
        self.request(BREAK, struct.pack("<HHI16sIQ", 36, 0, 0, key, state, 0))


class Client:
    """A session with a channel for each socket, connected to one share."""

    def __init__(self, sockets, user, password, share="share", guid=None):
        guid = guid or os.urandom(16)
        self.channels = []
        for connected in sockets:
            channel = Channel(connected, guid)
            self.channels.append(channel)
            self.first = self.channels[0]
            if channel is self.first:
                channel.session_setup(user, password)
                channel.tree_connect(share)
            else:
                channel.session_setup(user, password, self.first)
                channel.tree_id = self.first.tree_id

    def close(self):
        for channel in self.channels:
            channel.close()


def break_lease(holder, other, name="file"):
    """Take a lease, break it by another client's open, and return it."""
    key = os.urandom(16)
    held = holder.first.open(name, (key, R | H | W))
    pending = other.first.send_open(name)
    give_back(holder.first, key)
    other.first.close_handle(other.first.opened(pending))
    holder.first.close_handle(held)


def give_back(channel, key):
    """Wait for the break of a lease on this channel, and acknowledge it."""
    broken, state = channel.wait_break()
    if broken != key or state & W:
        raise Error(f"an odd break: to {state}")
    channel.ack_break(broken, state)
