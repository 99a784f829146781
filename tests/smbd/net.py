# SPDX-License-Identifier: GPL-3.0-or-later
"""Two network namespaces, of the server and of a client, with a cable."""

import ctypes
import os
import subprocess

from smbd import die_with_parent, wait_for

SERVER, CLIENT = "10.99.0.1", "10.99.0.2"
SERVER6, CLIENT6 = "fd99::1", "fd99::2"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Network:
    """with Network() as network: from here on this process is the server's
    side; the other one begins each of its commands with network.inside.
    """

    def __enter__(self):
        ctypes.CDLL(None, use_errno=True).unshare(0x40000000)  # CLONE_NEWNET
        ip("link", "set", "lo", "up")
        self.client = subprocess.Popen(["unshare", "-n", "sleep", "3600"],
                                       preexec_fn=die_with_parent)
        wait_for(lambda: os.readlink(f"/proc/{self.client.pid}/ns/net") !=
                 os.readlink("/proc/self/ns/net"))
        self.inside = ["nsenter", "-n", "-t", str(self.client.pid)]
        # each packet is one of the wire, for netem to lose
        ip("link", "add", "server", "gso_max_segs", "1", "type", "veth",
           "peer", "name", "client", "netns", str(self.client.pid))
        self.side([], "server", SERVER, SERVER6)
        self.side(self.inside, "client", CLIENT, CLIENT6)
        return self

    def side(self, prefix, device, address, address6):
        for words in (f"addr add {address}/24 dev {device}",
                      f"addr add {address6}/64 dev {device} nodad",
                      f"link set {device} up", "link set lo up"):
            subprocess.run([*prefix, "ip", *words.split()], check=True)

    def __exit__(self, *_):
        self.client.kill()
        self.client.wait()
