# SPDX-License-Identifier: GPL-3.0-or-later
"""A QUIC client by aioquic, driven without asyncio."""

import os
import select
import socket
import time

from aioquic.buffer import Buffer
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from smbd import PATIENCE

NAME = "aioquic"
CANNOT = {"pq": "aioquic 1.2 has no ML-KEM"}
# a ClientHello that needs two packets, and the options for it
LARGE = "a ClientHello with a large transport parameter"
LARGE_OPTIONS = {"quantum_readiness_test": True}
# no connection IDs of its own, and small packets
PLAIN_OPTIONS = {"connection_id_length": 0}


class Connection(QuicConnection):
    """extra: raw transport parameters to send, too.

    hold: no more credit is given.
    """

    extra = b""
    hold = False

    def __init__(self, **options):
        super().__init__(**options)
        # aioquic makes it as long as its own ones, which may have no bytes
        self._peer_cid.cid = os.urandom(8)
        self._original_destination_connection_id = self._peer_cid.cid

    def _replenish_connection_ids(self):
        if self.configuration.connection_id_length > 0:
            super()._replenish_connection_ids()

    def _write_connection_limits(self, builder, space):
        if not self.hold:
            super()._write_connection_limits(builder=builder, space=space)

    def _write_stream_limits(self, builder, space, stream):
        if not self.hold:
            super()._write_stream_limits(builder=builder, space=space,
                                         stream=stream)

    def _serialize_transport_parameters(self):
        return super()._serialize_transport_parameters() + self.extra


def unknown_parameter(number, value):
    buffer = Buffer(capacity=len(value) + 16)
    buffer.push_uint_var(number)
    buffer.push_uint_var(len(value))
    buffer.push_bytes(value)
    return buffer.data


def ticket_of_another(certificates):
    """A session ticket, with early data, of a server of aioquic."""
    tickets, now = [], time.monotonic()
    client = QuicConfiguration(is_client=True, alpn_protocols=["smb"],
                               server_name="server")
    client.load_verify_locations(certificates.path("ca.pem"))
    server = QuicConfiguration(is_client=False, alpn_protocols=["smb"])
    server.load_cert_chain(certificates.path("server.pem"),
                           certificates.path("server.key"))
    ours = QuicConnection(configuration=client,
                          session_ticket_handler=tickets.append)
    ours.connect(("server", 1), now=now)
    theirs = QuicConnection(
        configuration=server, original_destination_connection_id=
        ours.original_destination_connection_id,
        session_ticket_handler=lambda ticket: None)
    for _ in range(10):
        for one, other in (ours, theirs), (theirs, ours):
            for data, _ in one.datagrams_to_send(now):
                other.receive_datagram(data, ("other", 2), now)
    return tickets[0]


class Client:
    """A connection; it is also its only stream, which is like a socket.

    options: of QuicConfiguration; extra: see Connection; early: what is
    sent first is early data, if there is a session ticket; tickets: get those
    of the server.
    """

    def __init__(self, port, ca, name="server", alpn=("smb",),
                 certificate=None, extra=b"", early=False, tickets=None,
                 **options):
        configuration = QuicConfiguration(
            is_client=True, alpn_protocols=alpn and list(alpn),
            server_name=name, **options)
        configuration.load_verify_locations(ca)
        if certificate:
            configuration.load_cert_chain(*certificate)
        self.quic = Connection(
            configuration=configuration,
            session_ticket_handler=(lambda ticket: None) if tickets is None
            else tickets.append)
        self.quic.extra = extra
        self.server = ("127.0.0.1", port)
        self.socket = None
        self.number = 0
        self.data, self.ended, self.over = b"", False, None
        self.alpn = None
        self.connected = self.resumed = self.early = False
        self.pings = set()
        self.received = 0
        self.each = lambda: None  # called for each datagram that comes
        self.new_socket()
        self.quic.connect(self.server, now=time.monotonic())
        if not early:
            # until the server has seen the end of the handshake, too
            self.pump(lambda: self.connected) and self.ping()

    def new_socket(self):
        """With another address, too."""
        if self.socket:
            self.socket.close()
        self.number += 1
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((f"127.0.0.{self.number}", 0))

    def event(self, event):
        if isinstance(event, events.HandshakeCompleted):
            self.connected = True
            self.alpn = event.alpn_protocol
            self.resumed = event.session_resumed
            self.early = event.early_data_accepted
        elif isinstance(event, events.StreamDataReceived):
            self.data += event.data
            self.ended = self.ended or event.end_stream
        elif isinstance(event, events.StreamReset):
            self.ended = True
        elif isinstance(event, events.ConnectionTerminated):
            self.over = self.over or event
        elif isinstance(event, events.PingAcknowledged):
            self.pings.add(event.uid)

    def work(self):
        """Send, and handle what is there."""
        while event := self.quic.next_event():
            self.event(event)
        for data, address in self.quic.datagrams_to_send(time.monotonic()):
            self.socket.sendto(data, address)

    def pump(self, condition, patience=PATIENCE):
        """Until the condition holds or the connection is over."""
        end = time.monotonic() + patience
        while True:
            self.work()
            now = time.monotonic()
            if condition():
                return True
            if self.over or now > end:
                return False
            timer = self.quic.get_timer()
            wait = min(end, timer or end) - now
            if select.select([self.socket], [], [], max(0, wait))[0]:
                data, address = self.socket.recvfrom(65536)
                self.received += 1
                self.quic.receive_datagram(data, address, time.monotonic())
                self.each()
            elif timer and time.monotonic() >= timer:
                self.quic.handle_timer(time.monotonic())

    def idle(self):
        """For a moment: only what QUIC itself wants."""
        self.pump(lambda: False, 0.05)

    def stream(self):
        return self

    # As smb3.Channel uses a socket

    def settimeout(self, _):
        pass

    def sendall(self, data):
        self.quic.send_stream_data(0, data)
        self.work()

    def recv(self, size):
        self.pump(lambda: self.data or self.ended)
        data, self.data = self.data[:size], self.data[size:]
        return data

    # What a QUIC client can do

    def ping(self):
        """Whether the server has acknowledged one."""
        uid = len(self.pings) + 1
        self.quic.send_ping(uid)
        return self.pump(lambda: uid in self.pings)

    def update_keys(self):
        self.ping()  # acknowledged: then the next update is allowed
        self.quic.request_key_update()
        return self.ping()

    def change_cid(self):
        before = self.quic._peer_cid.cid
        self.quic.change_connection_id()
        return self.ping() and self.quic._peer_cid.cid != before

    def move(self):
        self.quic.change_connection_id()
        self.new_socket()
        return self.ping()

    def end(self):
        self.quic.send_stream_data(0, b"", end_stream=True)
        self.work()

    def reset(self):
        self.quic.reset_stream(0, 0)
        self.work()

    def stop(self):
        self.quic.stop_stream(0, 0)
        self.work()

    def closed(self):
        """(error code, reason), when the server has closed it, or None."""
        self.pump(lambda: False)
        return self.over and (self.over.error_code, self.over.reason_phrase)

    def close(self, error=0, reason=""):
        if not self.over:
            self.quic.close(error_code=error, reason_phrase=reason)
            self.work()
        self.socket.close()
