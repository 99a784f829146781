# SPDX-License-Identifier: GPL-3.0-or-later
"""A QUIC client by quic-go, a program of its own: quic_go.go."""

import contextlib
import glob
import os
import socket
import subprocess
import tempfile

from smbd import PATIENCE, die_with_parent, wait_for

NAME = "quic-go"
CANNOT = {
    "cid": "quic-go has no function for that; it changes it as it migrates",
}
LARGE = "X25519MLKEM768"
LARGE_OPTIONS = {}
PLAIN_OPTIONS = {"packet": 1200}
SOURCE = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                      "quic_go.go")


class Program:
    """with Program(): it is built."""

    path = None

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        Program.path = f"{self.directory.name}/quic_go"
        # as the root's Go packages have been built
        subprocess.run(["go", "build", "-o", self.path, SOURCE], check=True,
                       env={**os.environ, "GO111MODULE": "off",
                            "GOPATH": "/usr/share/gocode"})

    def __exit__(self, *_):
        self.directory.cleanup()


class Client:
    """A connection with one stream.

    certificate: a chain and its key; packet: the size of the first ones.
    """

    def __init__(self, port, ca, name="server", alpn=("smb",),
                 certificate=None, packet=1280):
        self.local, joined = socket.socketpair()
        self.log = tempfile.TemporaryDirectory()
        options = ["-address", f"127.0.0.1:{port}", "-ca", ca, "-name", name,
                   "-alpn", ",".join(alpn), "-packet", str(packet),
                   "-stream", str(joined.fileno())]
        if certificate:
            options += ["-certificate", certificate[0],
                        "-key", certificate[1]]
        with joined:
            self.process = subprocess.Popen(
                [Program.path, *options], text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, pass_fds=(joined.fileno(),),
                env={**os.environ, "QLOGDIR": self.log.name},
                preexec_fn=die_with_parent)
        self.over = None
        self.connected = self.line("connected") is not None

    def line(self, wanted):
        """The next line that begins so, or None if the connection is over."""
        while not self.over:
            word, _, rest = self.process.stdout.readline().strip() \
                .partition(" ")
            if word == wanted:
                return rest
            if word != "done":
                code, _, reason = rest.partition(" ")
                self.over = int(code or -2), reason
        return None

    def tell(self, command):
        """Whether that went well."""
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return self.line("done") == "<nil>"

    def stream(self):
        return self.local

    def idle(self):
        """It works by itself."""

    def ping(self):
        """It works by itself."""
        return True

    def update_keys(self):
        """It does so by itself after 100 packets; its log has it."""
        def updated():
            text = ""
            for path in glob.glob(f"{self.log.name}/*"):
                with open(path, errors="replace") as f:
                    text += f.read()
            return "local_update" in text
        return wait_for(updated)

    def move(self):
        return self.tell("move 127.0.0.2")

    def end(self):
        self.tell("end")

    def reset(self):
        self.tell("reset")

    def stop(self):
        self.tell("stop")

    def closed(self):
        self.line("closed?")
        return self.over

    def close(self, error=0, reason=""):
        # it ends with its connection, at any moment
        with contextlib.suppress(BrokenPipeError):
            if self.process.poll() is None and not self.process.stdin.closed:
                self.tell(f"close {error}")
                self.process.stdin.close()
            self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        self.local.close()
        self.log.cleanup()
