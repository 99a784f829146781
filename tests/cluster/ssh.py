# SPDX-License-Identifier: GPL-3.0-or-later
"""ssh between the nodes, for onnode(1), without an sshd.

A node sees no process of another one.  So its ssh sends the command to the
process of the test, which executes it there.
"""

import os
import socket
import subprocess
import sys
import threading

CLIENT = """#!{python}
import socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.connect({path!r})
    s.sendall("\\0".join(sys.argv[-2:]).encode())
    s.shutdown(socket.SHUT_WR)
    status, _, output = s.makefile("rb").read().partition(b"\\n")
sys.stdout.buffer.write(output)
sys.exit(int(status))
"""


class Ssh:
    """with Ssh(directory, find): client is the program that a node executes.

    find: a function that returns, for an address, the beginning of a command
    that runs there, or None.
    """

    def __init__(self, directory, find):
        self.client, self.find = f"{directory}/ssh", find
        path = f"{directory}/ssh.socket"
        with open(self.client, "w") as f:
            f.write(CLIENT.format(python=sys.executable, path=path))
        os.chmod(self.client, 0o755)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connected, _ = self.socket.accept()
            except OSError:  # closed
                return
            with connected, connected.makefile("rb") as f:
                address, command = f.read().decode().split("\0")
                inside = self.find(address)
                done = subprocess.run(
                    [*inside, "sh", "-c", command] if inside else
                    ["sh", "-c", "exit 255"], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE)
                connected.sendall(b"%d\n%s" % (done.returncode, done.stdout))

    def close(self):
        # a blocked accept(2) would not notice close(2)
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
