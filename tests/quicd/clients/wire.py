# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to smbd-quicd that looks at datagrams, and changes their order."""

import select
import socket
import threading
import time

INITIAL, EARLY, RETRY = 0, 1, 3


def kind(data):
    """The type of a long header of version 1, or None."""
    if len(data) < 7 or not data[0] & 0x80 or data[1:5] != b"\0\0\0\1":
        return None
    return data[0] >> 4 & 3


def kinds(data):
    """Those of all packets of the first flight in a datagram."""
    found = []

    def number():
        nonlocal at
        size = 1 << (data[at] >> 6)
        value = int.from_bytes(data[at:at + size], "big")
        at += size
        return value & (1 << 8 * size - 2) - 1

    while kind(data) in (INITIAL, EARLY):
        found.append(kind(data))
        at = 5
        for _ in range(2):  # the connection IDs
            at += 1 + data[at]
        if found[-1] == INITIAL:
            token = number()
            at += token
        length = number()
        data = data[at + length:]
    return found


class Wire(threading.Thread):
    """with Wire(port) as wire: a client connects to wire.port.

    order: which of the client's first two datagrams arrive, and in which order;
    they wait for each other.  None: all arrive.  limit: longer ones vanish.
    """

    def __init__(self, port, order=None, limit=65536):
        super().__init__(daemon=True)
        self.order, self.limit = order, limit
        self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inside.bind(("127.0.0.1", 0))
        self.port = self.inside.getsockname()[1]
        self.server, self.outsides = ("127.0.0.1", port), []
        self.rebind()
        self.seen = []  # (whether it is the server's, datagram)
        self.woken = 0  # by the server, after a second of silence
        self.stopping = False

    def rebind(self):
        """Another address of the client, as the server sees it."""
        outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.outsides.append(outside)
        outside.bind((f"127.0.0.{len(self.outsides)}", 0))
        outside.connect(self.server)
        self.outside = outside

    def run(self):
        client, sent, last = None, [], time.monotonic()
        while not self.stopping:
            outside = self.outside
            ready, _, _ = select.select([self.inside, outside], [], [], 0.1)
            if ready:
                self.woken += ready == [outside] and \
                    time.monotonic() - last > 1
                last = time.monotonic()
            if self.inside in ready:
                data, client = self.inside.recvfrom(65536)
                self.seen.append((False, data))
                sent.append(data)
                for one in self.due(sent):
                    if len(one) <= self.limit:
                        # not by that of before a rebind(): its answer is lost
                        self.outside.send(one)
            if outside in ready:
                try:
                    data = outside.recv(65536)
                except ConnectionRefusedError:
                    continue
                self.seen.append((True, data))
                if len(data) <= self.limit:
                    self.inside.sendto(data, client)

    def due(self, sent):
        """Those to forward, of what the client has sent, after the last."""
        if self.order is None:
            return sent[-1:]
        if len(sent) < 2:
            return []
        return sent[-1:] if len(sent) > 2 else [sent[i] for i in self.order]

    def first_flight(self):
        """What the client sent before the server did."""
        flight = []
        for servers, data in self.seen:
            if servers:
                break
            flight.append(data)
        return flight

    def retries(self):
        return sum(servers and kind(data) == RETRY
                   for servers, data in self.seen)

    def too_long(self):
        """How many of the server's vanished."""
        return sum(servers and len(data) > self.limit
                   for servers, data in self.seen)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.join()
        self.inside.close()
        for outside in self.outsides:
            outside.close()
