# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that writes without a break, and comes back when it is lost."""

import hashlib
import os
import socket
import threading
import time

from cluster import USER
from quicd import QuicClient
from smb3 import Client, Error, H, R, W
from smbd import PASSWORD, PATIENCE, wait_for

SIZE = 65536
RETRY = 0.05  # seconds between two attempts to connect
CONNECT = 1  # seconds until an attempt is given up


def block(number):
    """The content of a block, which no other block has."""
    return hashlib.sha256(str(number).encode()).digest() * (SIZE // 32)


def tcp(address):
    """A function that connects to smbd."""
    return lambda: socket.create_connection((address, 445), CONNECT)


class QuicConnection(QuicClient):
    """One to smbd-quicd at any address."""

    def __init__(self, address):
        self.prepare(443, address=address)
        self.ssl.SSL_set_blocking_mode(self.connection, 0)
        end = time.monotonic() + CONNECT
        while self.ssl.SSL_connect(self.connection) != 1:
            if time.monotonic() > end:
                self.close()
                raise OSError("no QUIC connection")
            time.sleep(RETRY / 10)
        self.ssl.SSL_set_blocking_mode(self.connection, 1)


def quic(address):
    """The same for smbd-quicd."""
    def connect():
        connection = QuicConnection(address)
        stream = connection.stream()
        stream.close = connection.close
        return stream

    return connect


class Held:
    """A file that a client holds open by a durable handle."""

    def __init__(self, connect, path):
        self.connect, self.path = connect, path
        self.guid, self.key, self.client_guid = (
            os.urandom(16) for _ in range(3))
        self.open(self.guid)
        self.channel.write(self.handle, 0, block(0))

    def open(self, durable):
        client = Client([self.connect()], USER, PASSWORD,
                        guid=self.client_guid)
        self.channel = client.first
        self.handle = self.channel.open(
            os.path.basename(self.path), (self.key, R | H | W),
            durable=durable)

    def reclaim(self):
        """Come back and use the handle; "" or the last error."""
        errors = []

        def back():
            try:
                self.channel.close()
                self.open((self.guid, self.handle))
                self.channel.write(self.handle, SIZE, block(1))
                self.channel.close_handle(self.handle)
                return True
            except (Error, OSError) as error:
                errors.append(str(error))
                return False

        if not wait_for(back):
            return errors[-1]
        with open(self.path, "rb") as f:
            same = f.read() == block(0) + block(1)
        return "" if same else "the content differs"


class Stream:
    """with Stream(connect, path) as stream: blocks go to the file, by order.

    connect: makes something like a socket; path: of the file, of which the
    client knows the name in the share.  acknowledged: how many blocks smbd has
    taken; resumed: when it took the first block of each connection; port: of
    the client, with TCP.
    """

    def __init__(self, connect, path):
        self.connect, self.path = connect, path
        self.acknowledged, self.resumed, self.losses = 0, [], []
        self.port = None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(60)

    def run(self):
        while not self.ending.is_set():
            try:
                connected = self.connect()
            except OSError:
                time.sleep(RETRY)
                continue
            try:
                self.write(connected)
            except (Error, OSError) as error:
                self.losses.append(str(error))
                time.sleep(RETRY)
            finally:
                connected.close()

    def write(self, connected):
        if isinstance(connected, socket.socket):
            self.port = connected.getsockname()[1]
        client = Client([connected], USER, PASSWORD)
        handle = client.first.open(os.path.basename(self.path))
        first = True
        while not self.ending.is_set():
            client.first.write(handle, self.acknowledged * SIZE,
                               block(self.acknowledged))
            self.acknowledged += 1
            if first:
                self.resumed.append(time.monotonic())
            first = False
        client.first.close_handle(handle)

    def more(self, count):
        """Wait for so many blocks more; whether they came."""
        end = self.acknowledged + count
        return wait_for(lambda: self.acknowledged >= end)

    def gap(self, since):
        """Wait until it has come back once; the seconds since then, or None."""
        # a client whom no node tells waits for its own time limit, PATIENCE
        if not wait_for(lambda: self.resumed[-1] > since, 2 * PATIENCE):
            return None
        return self.resumed[-1] - since

    def compare(self):
        """How many bytes are wrong, of all blocks that smbd has taken."""
        wrong = 0
        with open(self.path, "rb") as f:
            for number in range(self.acknowledged):
                data = f.read(SIZE)
                if data != block(number):
                    wrong += SIZE
        return wrong
