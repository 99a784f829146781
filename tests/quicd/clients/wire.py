# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to smbd-quicd that looks at datagrams, and changes their order."""

import select
import socket
import threading

INITIAL, HANDSHAKE, RETRY = 0, 2, 3


def kind(data):
    """The type of a long header of version 1, or None."""
    if len(data) < 7 or not data[0] & 0x80 or data[1:5] != b"\0\0\0\1":
        return None
    return data[0] >> 4 & 3


class Wire(threading.Thread):
    """with Wire(port) as wire: a client connects to wire.port.

    order: which of the client's first two datagrams arrive, and in which order;
    they wait for each other.
    """

    def __init__(self, port, order):
        super().__init__(daemon=True)
        self.order = order
        self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inside.bind(("127.0.0.1", 0))
        self.port = self.inside.getsockname()[1]
        self.outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.outside.connect(("127.0.0.1", port))
        self.seen = []  # (whether it is the server's, datagram)
        self.stopping = False

    def run(self):
        client, sent = None, []
        while not self.stopping:
            ready, _, _ = select.select([self.inside, self.outside], [], [],
                                        0.1)
            if self.inside in ready:
                data, client = self.inside.recvfrom(65536)
                self.seen.append((False, data))
                sent.append(data)
                for one in self.due(sent):
                    self.outside.send(one)
            if self.outside in ready:
                try:
                    data = self.outside.recv(65536)
                except ConnectionRefusedError:
                    continue
                self.seen.append((True, data))
                self.inside.sendto(data, client)

    def due(self, sent):
        """Those to forward, of what the client has sent, after the last."""
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

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.join()
        self.inside.close()
        self.outside.close()
