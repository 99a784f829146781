# SPDX-License-Identifier: GPL-3.0-or-later
"""Two network namespaces, of the server and of a client, joined by veth."""

import ctypes
import os
import subprocess
import time

from smbd import die_with_parent, wait_for

SERVER, CLIENT = "10.99.0.1", "10.99.0.2"
# 60 packets in the queue are 70 ms, and more of them are lost
SHORT_QUEUE = "tbf rate 10mbit burst 3kb limit 90kb".split()
SERVER6, CLIENT6 = "fd99::1", "fd99::2"
ROUTER = "10.99.0.254"  # from which it says that a packet is too large


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def namespace():
    """A process in a network namespace of its own."""
    process = subprocess.Popen(["unshare", "-n", "sleep", "3600"],
                               preexec_fn=die_with_parent)
    wait_for(lambda: os.readlink(f"/proc/{process.pid}/ns/net") !=
             os.readlink("/proc/self/ns/net"))
    subprocess.run([*inside(process), "ip", "link", "set", "lo", "up"],
                   check=True)
    return process


def inside(process):
    """The beginning of a command that runs in its namespace."""
    return ["nsenter", "-n", "-t", str(process.pid)]


class Network:
    """with Network() as network: from here on this process is the server's
    side; the other one begins each of its commands with network.inside.

    router: put one in between, with the devices to-server and to-client (IPv4
    only), whose commands begin with network.router.
    """

    def __init__(self, router=False):
        self.with_router = router

    def __enter__(self):
        ctypes.CDLL(None, use_errno=True).unshare(0x40000000)  # CLONE_NEWNET
        ip("link", "set", "lo", "up")
        client = namespace()
        self.processes, self.inside = [client], inside(client)
        if self.with_router:
            router = namespace()
            self.processes.append(router)
            self.router = inside(router)
            self.cable([], "server", "to-server", router)
            self.cable(self.inside, "client", "to-client", router)
        else:
            self.cable([], "server", "client", client)
        self.side([], "server", SERVER, SERVER6)
        self.side(self.inside, "client", CLIENT, CLIENT6)
        if self.with_router:
            for device, address in ("server", SERVER), ("client", CLIENT):
                for words in (f"ip addr add {ROUTER}/32 dev to-{device}",
                              f"ip link set to-{device} up",
                              f"ip route add {address} dev to-{device}",
                              f"sysctl -qw net.ipv4.conf.to-{device}"
                              ".proxy_arp=1", "sysctl -qw "
                              "net.ipv4.ip_forward=1"):
                    subprocess.run([*self.router, *words.split()], check=True)
        return self

    def cable(self, prefix, device, peer, process):
        # no offloads: netem must lose single packets, as on a wire
        subprocess.run(
            [*prefix, "ip", "link", "add", device, "gso_max_segs", "1",
             "type", "veth", "peer", "name", peer, "netns",
             str(process.pid)], check=True)

    def side(self, prefix, device, address, address6):
        for words in (f"addr add {address}/24 dev {device}",
                      f"addr add {address6}/64 dev {device} nodad",
                      f"link set {device} up"):
            subprocess.run([*prefix, "ip", *words.split()], check=True)

    def make_bad(self):
        """The router's queue to the client gets too short: delay and loss.

        Linux on the server would not fill its own.  "" or the error.
        """
        return subprocess.run(
            [*self.router, "tc", "qdisc", "add", "dev", "to-client", "root",
             *SHORT_QUEUE], stderr=subprocess.PIPE, text=True).stderr.strip()

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


class Told:
    """An smbclient that reads commands; share: its directory."""

    def __init__(self, process, share):
        self.process, self.share, self.count = process, share, 0
        self.mark()

    def say(self, command):
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def mark(self):
        """Wait until all earlier commands are done."""
        self.count += 1
        self.say(f"mkdir {self.count}")
        return wait_for(
            lambda: os.path.isdir(f"{self.share}/{self.count}"))

    def do(self, command):
        """Execute a command and wait for its end."""
        self.say(command)
        # of two lines at once smbclient forgets the second
        time.sleep(0.5)
        return self.mark()

    def end(self):
        """Its output so far."""
        output, _ = self.process.communicate("exit\n", timeout=60)
        for number in range(1, self.count + 1):
            os.rmdir(f"{self.share}/{number}")
        return output
