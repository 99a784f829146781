# SPDX-License-Identifier: GPL-3.0-or-later
"""A QUIC client by OpenSSL's library."""

import ctypes
import socket

from quicd import QuicClient
from smbd import wait_for

NAME = "OpenSSL"
CANNOT = {
    "cid": "OpenSSL has no function for that",
    "probes": "OpenSSL takes no packet above 1200 bytes, so none is tried",
    "stops": "OpenSSL has no function to send STOP_SENDING alone",
}
LARGE = "X25519MLKEM768"
LARGE_OPTIONS = {}
PLAIN_OPTIONS = {}  # it gives no connection IDs


class CloseArguments(ctypes.Structure):
    """SSL_SHUTDOWN_EX_ARGS"""
    _fields_ = [("error", ctypes.c_uint64), ("reason", ctypes.c_char_p)]


class Client(QuicClient):
    """A connection; stream() always returns the same stream.

    certificate: the files of a chain and its key.
    """

    def __init__(self, port, ca, name="server", alpn=("smb",),
                 certificate=None):
        self.prepare(port, name.encode())
        ssl, connection = self.ssl, self.connection
        words = b"".join(bytes([len(word)]) + word.encode() for word in alpn)
        ssl.SSL_set_alpn_protos(connection, words, len(words))
        context = ctypes.c_void_p(ssl.SSL_get_SSL_CTX(connection))
        store = ctypes.c_void_p(ssl.SSL_CTX_get_cert_store(context))
        good = ssl.X509_STORE_load_file(store, ca.encode())
        good &= ssl.SSL_set1_host(connection, name.encode())
        ssl.SSL_set_verify(connection, 1, None)  # SSL_VERIFY_PEER
        if certificate:
            chain, key = (path.encode() for path in certificate)
            good &= ssl.SSL_use_certificate_chain_file(connection, chain)
            good &= ssl.SSL_use_PrivateKey_file(connection, key, 1)
        if good != 1:
            raise ValueError("certificates")
        self.connected = ssl.SSL_connect(connection) == 1
        self.first = self.over = None

    def stream(self):
        self.first = self.first or super().stream()
        return self.first

    def idle(self):
        """For a moment: only what QUIC itself wants."""
        self.ssl.SSL_handle_events(self.connection)

    def ping(self):
        """No more than a wait for what there is."""
        self.idle()
        return True

    def update_keys(self):
        """As soon as the last update is acknowledged."""
        return wait_for(lambda: self.ping() and self.ssl.SSL_key_update(
            self.connection, 0) == 1)

    def move(self):
        """The descriptor is that of another socket from now on."""
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        other.bind(("127.0.0.2", 0))
        other.connect(self.socket.getpeername())
        self.ssl.SSL_set_fd(self.connection, other.fileno())
        self.socket.close()
        self.socket = other
        return True

    def end(self):
        self.first.end()

    def reset(self):
        self.first.reset()

    def close(self, error=0, reason=""):
        if self.over:
            return
        self.over = True
        arguments = CloseArguments(error, reason.encode())
        self.ssl.SSL_shutdown_ex(self.connection, ctypes.c_uint64(7),
                                 ctypes.byref(arguments),
                                 ctypes.c_size_t(ctypes.sizeof(arguments)))
        self.ssl.SSL_handle_events(self.connection)
        if self.first:
            self.ssl.SSL_free(self.first.stream)
        self.ssl.SSL_free(self.connection)
        self.socket.close()
