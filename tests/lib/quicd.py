# SPDX-License-Identifier: GPL-3.0-or-later
"""smbd-quicd in front of a private smbd, certificates, and QUIC clients.

The clients are Samba's smbclient, openssl s_client, and, for what neither
does, OpenSSL's library (QuicClient).
"""

import ctypes
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile

from smbd import PATIENCE, SLOW, TOP, Smbd, die_with_parent, wait_for

PROGRAM = os.path.join(TOP, "bin/smbd-quicd")
TOOL = os.path.join(TOP, "bin/smbd-uring")


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*command, **more):
    return subprocess.run(command, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def talk(client, timeout=PATIENCE):
    """(exit status, output)"""
    try:
        output, _ = client.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        client.kill()
        output, _ = client.communicate()
        return "late", output
    return client.returncode, output


class Certificates:
    """A directory with two CAs and the certificates that they have signed."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="smbd-quicd-tls-")
        os.chmod(self.dir, 0o755)
        for ca in "ca", "other-ca":
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                         "-subj", f"/CN={ca}", "-keyout", f"{ca}.key",
                         "-out", f"{ca}.pem")
        self.sign("server", "serverAuth", "DNS:server")
        self.sign("client", "clientAuth", "DNS:client")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.dir, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def sign(self, name, usage, subject, ca="ca", dates=()):
        """NAME.pem and NAME.key; dates: arguments of openssl x509."""
        self.openssl("req", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-subj",
                     f"/CN={name}", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr")
        with open(f"{self.dir}/{name}.ext", "w") as f:
            f.write(f"extendedKeyUsage={usage}\nsubjectAltName={subject}\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem",
                     "-CAkey", f"{ca}.key", "-CAcreateserial",
                     "-extfile", f"{name}.ext", "-out", f"{name}.pem",
                     *(dates or ("-days", "30")))

    def path(self, name):
        return f"{self.dir}/{name}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)


class Quicd:
    """with Quicd(certificates, ...) as quicd: quicd.smbd is the smbd behind.

    conf, smbd_conf: more lines for the [global] of each; server: another
    address; user: the uid that it runs as, with these capabilities;
    prepared: smb.conf is read as root before, as the service does it.
    """

    def __init__(self, certificates, conf="", server=None, user=0,
                 capabilities="-all", smbd_conf="", prepared=False, **smbd):
        self.certificates = certificates
        self.port = free_udp_port()
        self.conf = conf
        self.prepared = prepared
        # many parallel tests share few inotify instances
        self.smbd = Smbd(f"kernel change notify = no\n{smbd_conf}", **smbd)
        self.server = server or \
            f"127.0.0.1:{self.smbd.port} [::1]:{self.smbd.port}"
        self.process = None
        # as systemd does it
        self.directory = f"{self.smbd.dir}/run"
        os.mkdir(self.directory, 0o700)
        os.chown(self.directory, user, user)
        self.wrap = ["env", f"RUNTIME_DIRECTORY={self.directory}"]
        if user:
            self.wrap += ["setpriv", f"--reuid={user}", f"--regid={user}",
                          "--clear-groups",
                          f"--inh-caps={capabilities}",
                          f"--ambient-caps={capabilities}"]

    def settings(self):
        path = self.certificates.path
        return (f"smbd_uring:quic listen = 127.0.0.1:{self.port}\n"
                f"smbd_uring:quic server = {self.server}\n"
                f"private dir = {self.smbd.dir}/private\n"
                f"tls certfile = {path('server.pem')}\n"
                f"tls keyfile = {path('server.key')}\n"
                f"tls cafile = {path('ca.pem')}\n"
                f"{self.conf}\n")

    def write_conf(self, conf=None):
        """The smb.conf of smbd-quicd, which is not smbd's."""
        if conf is not None:
            self.conf = conf
        with open(f"{self.smbd.dir}/quicd.conf", "w") as f:
            f.write(f"[global]\n{self.settings()}")

    def as_root(self, option):
        """(exit status, output) of a step of the service."""
        done = run("env", f"RUNTIME_DIRECTORY={self.directory}", PROGRAM,
                   option, "-s", f"{self.smbd.dir}/quicd.conf")
        return done.returncode, done.stdout

    def start(self, *wrap):
        self.write_conf()
        self.out = open(f"{self.smbd.dir}/quicd.log", "a")
        source = ["-s", f"{self.smbd.dir}/quicd.conf"]
        if self.prepared:
            status, output = self.as_root("--prepare")
            self.out.write(output)
            self.out.flush()
            source = ["--prepared"]
        self.process = subprocess.Popen(
            [*wrap, *self.wrap, PROGRAM, *source],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out,
            preexec_fn=die_with_parent)

    def __enter__(self):
        self.smbd.__enter__()
        self.start()
        if not self.serves():
            log = self.log()
            self.__exit__()
            raise RuntimeError("smbd-quicd did not start:\n" + log)
        return self

    def serves(self, count=1):
        """Wait until it has started so often; it forks after the log line."""
        def ended():
            return self.process.poll() is not None

        def forked():
            lines = re.findall(r": listening on .*, (\d+) workers", self.log())
            return len(lines) >= count and \
                len(self.workers()) >= int(lines[-1])

        return wait_for(lambda: ended() or forked()) and not ended()

    def stop(self):
        """Its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.out.close()
        return self.process.returncode

    def __exit__(self, *_):
        if self.process and self.process.returncode is None:
            self.stop()
        self.smbd.__exit__()

    def log(self):
        with open(f"{self.smbd.dir}/quicd.log", errors="replace") as f:
            return f.read()

    def wait_log(self, text, count=1):
        """Wait until the log matches text, a regular expression, so often."""
        return wait_for(lambda: len(re.findall(text, self.log())) >= count)

    def workers(self):
        return [int(pid) for pid in run(
            "pgrep", "-P", str(self.process.pid)).stdout.split()]

    def status(self, *options):
        """The output of smbd-uring status for it and its smbd."""
        return subprocess.run(
            [TOOL, "status", f"--directory={self.smbd.dir}/lock/smbd_uring",
             f"--directory={self.directory}", *options], text=True,
            stdout=subprocess.PIPE, check=True).stdout

    def all_rows(self, *options):
        return json.loads(self.status("--json", *options))["connections"]

    def rows(self, transport="quic"):
        return [row for row in self.all_rows()
                if row["transport"] == transport]

    def smbclient(self, *commands, options=(), port=None,
                  address="127.0.0.1", inside=()):
        """The Popen of an smbclient that executes the commands over QUIC."""
        return subprocess.Popen(
            [*inside, "smbclient", "-s", f"{self.smbd.dir}/client.conf", "-N",
             "-t", str(20 * SLOW), "-I", address, "//server/share",
             f"--option=clientsmbtransports=quic:{port or self.port}",
             f"--option=tlscafile={self.certificates.path('ca.pem')}",
             "--option=tlsverifypeer=ca_and_name",
             *options,
             *(["-c", "; ".join(commands)] if commands else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    def s_client(self, *options, name="server", alpn="smb"):
        """(exit status, output) of a handshake by openssl s_client."""
        done = run("timeout", str(PATIENCE), "openssl", "s_client", "-quic",
                   "-connect", f"127.0.0.1:{self.port}", "-alpn", alpn,
                   "-servername", name, "-verify_return_error",
                   "-CAfile", self.certificates.path("ca.pem"), *options)
        return done.returncode, done.stdout


def openssl_quic():
    """OpenSSL's library, if it has QUIC (from 3.2 on), or None."""
    try:
        ssl = ctypes.CDLL("libssl.so.3")
    except OSError:
        return None
    if not hasattr(ssl, "OSSL_QUIC_client_method"):
        return None
    # those that return pointers: an int has only half of the bits
    for name in ("OSSL_QUIC_client_method", "SSL_CTX_new", "SSL_new",
                 "SSL_new_stream", "SSL_get_SSL_CTX",
                 "SSL_CTX_get_cert_store"):
        getattr(ssl, name).restype = ctypes.c_void_p
    return ssl


class CloseInfo(ctypes.Structure):
    """SSL_CONN_CLOSE_INFO"""
    _fields_ = [("error", ctypes.c_uint64), ("frame", ctypes.c_uint64),
                ("reason", ctypes.c_char_p), ("length", ctypes.c_size_t),
                ("flags", ctypes.c_uint32)]


class QuicClient:
    """A connection by OpenSSL's library; a stream is like a socket."""

    def __init__(self, quicd, name=b"server", alpn=b"smb", files=None):
        """files: of the client's certificates, and of its key."""
        self.prepare(quicd.port, name, alpn, files)
        self.connected = self.ssl.SSL_connect(self.connection) == 1

    def prepare(self, port, name=b"server", alpn=b"smb", files=None,
                address="127.0.0.1"):
        self.ssl = openssl_quic()
        context = ctypes.c_void_p(self.ssl.SSL_CTX_new(
            ctypes.c_void_p(self.ssl.OSSL_QUIC_client_method())))
        if files:
            certificates, key = (os.fsencode(file) for file in files)
            if self.ssl.SSL_CTX_use_certificate_chain_file(
                    context, certificates) != 1 or \
                    self.ssl.SSL_CTX_use_PrivateKey_file(
                        context, key, 1) != 1:  # PEM
                raise RuntimeError(f"OpenSSL does not take {files}")
        self.connection = ctypes.c_void_p(self.ssl.SSL_new(context))
        self.ssl.SSL_CTX_free(context)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, port))
        self.ssl.SSL_set_fd(self.connection, self.socket.fileno())
        self.ssl.SSL_ctrl(self.connection, 55, ctypes.c_long(0), name)
        self.ssl.SSL_set_alpn_protos(
            self.connection, bytes([len(alpn)]) + alpn, 1 + len(alpn))
        self.ssl.SSL_set_default_stream_mode(self.connection, 0)
        self.streams = []

    @classmethod
    def first_packet(cls):
        """A function that creates one, each for another connection."""
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sink.bind(("127.0.0.1", 0))

        def make():
            client = cls.__new__(cls)
            client.prepare(sink.getsockname()[1])
            client.ssl.SSL_set_blocking_mode(client.connection, 0)
            client.ssl.SSL_connect(client.connection)
            data = sink.recv(65536)
            sink.setblocking(False)
            try:
                while True:  # what else it sent
                    sink.recv(65536)
            except BlockingIOError:
                sink.setblocking(True)
            client.ssl.SSL_free(client.connection)
            client.socket.close()
            return data

        return make

    def stream(self):
        """A new one, or None."""
        made = self.ssl.SSL_new_stream(self.connection,
                                       ctypes.c_uint64(2))  # don't wait
        if made:
            self.streams.append(QuicStream(self.ssl, ctypes.c_void_p(made)))
        return self.streams[-1] if made else None

    def closed(self):
        """(error code, reason), when the server has closed it; or None."""
        info = CloseInfo()

        def over():
            self.ssl.SSL_handle_events(self.connection)
            return self.ssl.SSL_get_conn_close_info(
                self.connection, ctypes.byref(info), ctypes.sizeof(info)) == 1

        if not wait_for(over):
            return None
        return info.error, (info.reason or b"").decode(errors="replace")

    def close(self):
        # before the handshake is confirmed, the server would ignore it
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        poll.poll(50)  # ms
        self.ssl.SSL_handle_events(self.connection)
        # rapidly, without a flush of streams, without waiting
        self.ssl.SSL_shutdown_ex(self.connection, ctypes.c_uint64(7), None,
                                 ctypes.c_size_t(0))
        self.ssl.SSL_handle_events(self.connection)
        for stream in self.streams:
            self.ssl.SSL_free(stream.stream)
        self.ssl.SSL_free(self.connection)
        self.socket.close()


class QuicStream:
    """The methods of a socket that smb3.Channel uses."""

    def __init__(self, ssl, stream):
        self.ssl, self.stream = ssl, stream

    def settimeout(self, _):
        pass

    def sendall(self, data):
        written = ctypes.c_size_t()
        if self.ssl.SSL_write_ex(self.stream, data,
                                 ctypes.c_size_t(len(data)),
                                 ctypes.byref(written)) != 1:
            raise ConnectionError("SSL_write_ex")

    def recv(self, size):
        """b"" at the end of the stream, and after a time-out."""
        buffer = ctypes.create_string_buffer(size)
        got = ctypes.c_size_t()
        self.ssl.SSL_set_blocking_mode(self.stream, 0)
        wait_for(lambda: self.ssl.SSL_read_ex(
            self.stream, buffer, ctypes.c_size_t(size),
            ctypes.byref(got)) == 1 or
            self.ssl.SSL_get_stream_read_state(self.stream) != 1)
        self.ssl.SSL_set_blocking_mode(self.stream, 1)
        return buffer.raw[:got.value]

    def end(self):
        self.ssl.SSL_stream_conclude(self.stream, ctypes.c_uint64(0))

    def reset(self):
        self.ssl.SSL_stream_reset(self.stream, None, ctypes.c_size_t(0))

    def close(self):
        pass
