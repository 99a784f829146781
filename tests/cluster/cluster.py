# SPDX-License-Identifier: GPL-3.0-or-later
"""A CTDB cluster on one machine: nodes that are namespaces, on a bridge.

A node has network, mount, PID and UTS namespaces of its own, thus its own
ctdbd, smbd, /etc/ctdb, /etc/samba, /run and so on.  Everything in it dies with
its first process, as with a machine that loses power.  All see one directory:
the cluster's file system, with the cluster lock in it.

The process of the test moves to a network namespace that has the bridges and
the clients.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, TESTS + "/lib")
from net import ip
from smbd import PASSWORD, PATIENCE, SLOW, TOP, remove_tree, wait_for
from ssh import Ssh

SHARE = "share"
USER = "games"  # Debian has it everywhere
CLIENT = "10.99.0.254"
PUBLIC = ("10.99.0.11", "10.99.0.12", "10.99.0.13")
PRIVATE = ("10.98.0.1", "10.98.0.2", "10.98.0.3")
EVENTS = "/usr/share/ctdb/events/legacy"
# what a node has for itself
OWN = ("/etc/ctdb", "/etc/samba", "/var/lib/ctdb", "/var/lib/samba",
       "/var/cache/samba", "/var/log/samba", "/var/log/ctdb", EVENTS)

OWN_FILES = ("/etc/hosts", "/etc/resolv.conf", "/usr/sbin/service")

# A namespace has no systemd: this does what systemctl would.
SERVICE = """#!/bin/sh
export LD_PRELOAD RUNTIME_DIRECTORY=/run/smbd-quicd
case $1-$2 in
smbd-start)
	LD_PRELOAD={preload}
	exec {smbd} -D
	;;
*-stop)
	# the namespace has no other ones
	pkill -x "$1"
	for i in $(seq 100); do
		pgrep -x "$1" >/dev/null || exit 0
		sleep 0.1
	done
	pkill -x -9 "$1"
	;;
*-status)
	pgrep -x "$1" >/dev/null
	;;
smbd-quicd-start)
	{quicd} >>/var/log/samba/log.smbd-quicd 2>&1 </dev/null &
	for i in $(seq 100); do
		ss -lun | grep -q ':443 ' && exit 0
		sleep 0.1
	done
	exit 1
	;;
*)
	echo "service $*: unknown" >&2
	exit 1
	;;
esac
"""

# What stands in for programs that need a whole machine.
STUBS = {
    "systemctl": """#!/bin/sh
case "$1 $2 $3" in
"enable --now ctdb") exec ctdbd ;;
"disable --now smbd"*) service "$3" stop; exit 0 ;;
esac
echo "systemctl $*: unknown" >&2
exit 1
""",
    "apt": """#!/bin/sh
shift
exec dpkg-query -W "$@"
""",
}
# of docs/cluster.md
BOOT = (
    "systemctl disable --now smbd",
    "ctdb event script enable legacy 50.samba",
    "systemctl enable --now ctdb",
)
BOOT_QUIC = (
    "systemctl disable --now smbd-quicd",
    "ctdb event script enable legacy 51.smbd-quicd",
)

# without realtime scheduling, which would starve the rest of the machine
CTDB = """
[logging]
location = file:/var/log/ctdb/log.ctdb
log level = NOTICE
[cluster]
cluster lock = {shared}/.ctdb/lock
[legacy]
realtime scheduling = false
"""
# A dead node is noticed after 4 seconds, not 30.  Recoveries, health checks, the
# start of a node and the list of TCP clients wait less, too.  Each address has a
# node of its own.
TUNABLES = """KeepaliveInterval=1
KeepaliveLimit=3
MonitorInterval=3
RerecoveryTimeout=1
TickleUpdateInterval=1
IPAllocAlgorithm=0
"""

SMB = """
[global]
clustering = yes
netbios name = CLUSTER
workgroup = TEST
server role = standalone server
passdb backend = tdbsam
disable netbios = yes
smb ports = 445
map to guest = Bad User
load printers = no
printcap name = /dev/null
disable spoolss = yes
log file = /var/log/samba/log.smbd
logging = file
log level = 1
max log size = 0
usershare max shares = 0
# otherwise leases and durable handles are not given out
kernel oplocks = no
kernel share modes = no
posix locking = no
kernel change notify = no
{extra}
"""
# where Debian's programs look
SMB_BUILT = """lock directory = /run/samba
pid directory = /run/samba
ncalrpc dir = /run/samba/ncalrpc
state directory = /var/lib/samba
cache directory = /var/cache/samba
private dir = /var/lib/samba/private
ctdbd socket = /run/ctdb/ctdbd.socket
"""
SMB_SHARE = """
[{name}]
path = {shared}/{name}
read only = no
guest ok = yes
"""


# what a command of docs/cluster.md begins with
COMMAND = re.compile(
    r"    (?:apt|ctdb|onnode|openssl|smbd-uring|systemctl) ")


def page(quic):
    """docs/cluster.md: (lines of files, commands), of QUIC or of the rest."""
    with open(f"{TOP}/docs/cluster.md") as f:
        before, _, after = f.read().partition("## SMB over QUIC")
    section, _, rest = after.partition("\n## ")
    lines = [line for line in (section if quic else before + rest).split("\n")
             if line.startswith("    ")]
    return ([line.strip() for line in lines if not COMMAND.match(line)],
            [line.strip() for line in lines if COMMAND.match(line)])


def impossible():
    """The reason why there can be no cluster here, or ""."""
    if not os.path.exists("/usr/sbin/ctdbd"):
        return "ctdb is not installed"
    done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork",
                           "true"], stderr=subprocess.DEVNULL)
    return "" if done.returncode == 0 else "may not create namespaces"


class Node:
    """One node; cluster.nodes has them."""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.dir = f"{cluster.dir}/node{number}"
        self.process = None

    def write(self, path, text, mode=0o644):
        path = self.dir + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)

    def read(self, path):
        try:
            with open(self.dir + path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def prepare(self):
        shutil.copytree("/etc/ctdb", f"{self.dir}/etc/ctdb", symlinks=True)
        shutil.copytree(EVENTS, self.dir + EVENTS)
        if self.cluster.quic:  # as if it was installed
            shutil.copy(f"{TOP}/source/quicd/51.smbd-quicd.script",
                        self.dir + EVENTS)
        for directory in ("ctdb/volatile", "ctdb/persistent", "ctdb/state",
                          "samba/private"):
            os.makedirs(f"{self.dir}/var/lib/{directory}")
        self.write("/etc/ctdb/ctdb.conf",
                   CTDB.format(shared=self.cluster.shared))
        self.write("/etc/ctdb/ctdb.tunables", self.cluster.tunables)
        self.write("/etc/ctdb/nodes", "".join(
            f"{PRIVATE[node]}\n" for node in range(self.cluster.count)))
        self.write("/etc/ctdb/public_addresses", "".join(
            f"{address}/24 public\n" for address in PUBLIC))
        self.write_conf()
        for path, text in self.cluster.files.items():
            self.write(path, text, 0o600)
        self.write("/hosts", "127.0.0.1 localhost\n"
                   f"{PRIVATE[self.number]} node{self.number}\n")
        self.write("/resolv.conf", "")
        self.write("/etc/ctdb/onnode.conf",
                   f"ONNODE_SSH={self.cluster.ssh.client}\n")
        self.write_service()

    def write_conf(self):
        self.write("/etc/samba/smb.conf", SMB.format(
            extra=self.cluster.conf + self.cluster.more) + "".join(
                SMB_SHARE.format(name=name, shared=self.cluster.shared)
                for name in self.cluster.shares))

    def write_service(self):
        # not a new file: this one is mounted
        self.write("/service", SERVICE.format(
            preload=self.cluster.preload or "", smbd=self.cluster.smbd,
            quicd=f"{TOP}/bin/smbd-quicd"), 0o755)

    def boot(self):
        """Power on, and start ctdbd; it is not healthy yet."""
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount",
             "--pid", "--uts", "--fork", "--kill-child", "--mount-proc",
             sys.executable, f"{TESTS}/cluster/init.py", f"node{self.number}",
             self.dir, *OWN, "--", *OWN_FILES],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"node {self.number} does not boot")
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/"
                  "children") as f:
            self.init = int(f.read())
        # its root: this process may be in a chroot, which a mount namespace
        # is not
        self.inside = ["nsenter", "-t", str(self.init), "-n", "-m", "-p",
                       "-u", "-r", "-w", "--"]
        for device, bridge, address in (
                ("public", "br-public", None),
                ("private", "br-private", PRIVATE[self.number])):
            end = f"{device}{self.number}"
            ip("link", "add", end, "type", "veth", "peer", "name", device,
               "netns", str(self.init))
            ip("link", "set", end, "master", bridge, "up")
            self.run("ip", "link", "set", device, "up", check=True)
            if address:
                self.run("ip", "addr", "add", f"{address}/24", "dev", device,
                         check=True)
        self.run("ip", "link", "set", "lo", "up", check=True)
        for command in (BOOT_QUIC if self.cluster.quic else ()) + BOOT:
            status, output = self.shell(command)
            if status != 0:
                raise RuntimeError(f"{command}: {status}: {output}")

    def popen(self, *command, **more):
        return subprocess.Popen(
            [*self.inside, *command], text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)

    def run(self, *command, check=False, timeout=PATIENCE):
        """(exit status, output)"""
        try:
            done = subprocess.run(
                [*self.inside, *command], text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            return "late", (error.stdout or b"").decode(errors="replace")
        if check and done.returncode != 0:
            raise RuntimeError(f"node {self.number}: {' '.join(command)}: "
                               f"{done.returncode}: {done.stdout}")
        return done.returncode, done.stdout

    def shell(self, command):
        """The same for a line of a shell, as an administrator logs in."""
        return self.run("env", f"PATH={self.cluster.path}", "sh", "-c",
                        command)

    def ctdb(self, *words):
        """The output of the command ctdb, which fails the test if it fails."""
        return self.run("ctdb", *words, check=True)[1]

    def turn(self, word):
        """ctdb enable, or disable.

        Its status is that of a takeover run.  If that fails, CTDB starts
        another one by itself, and the same command finds the flag as it wants.
        """
        if not wait_for(lambda: self.run("ctdb", word)[0] == 0):
            raise RuntimeError(f"node {self.number}: ctdb {word}")

    def healthy(self):
        """Whether it serves and has finished its recovery."""
        status, output = self.run("ctdb", "nodestatus")
        return status == 0 and "OK" in output

    def addresses(self):
        """The public addresses that it has now, as the kernel knows them."""
        output = self.run("ip", "-4", "-o", "addr", "show", "public")[1]
        return [address for address in re.findall(r"inet ([\d.]+)", output)
                if address in PUBLIC]

    def power_off(self):
        """From one moment to the next: no packet leaves it any more."""
        for device in "public", "private":
            subprocess.run(["ip", "link", "delete", f"{device}{self.number}"],
                           stderr=subprocess.DEVNULL)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def log(self):
        return self.read("/var/log/samba/log.smbd")

    def quicd_log(self):
        return self.read("/var/log/samba/log.smbd-quicd")

    def ctdb_log(self):
        return self.read("/var/log/ctdb/log.ctdb")


class Cluster:
    """with Cluster() as cluster: ...

    conf: more lines for [global]; preload: a library for smbd; count: of nodes;
    tunables: of CTDB, a line each; shares: besides "share"; quic: with
    smbd-quicd; files: more of a node, {path: text}; programs: the directory of
    another smbd than the distribution's.
    """

    def __init__(self, conf="", preload=None, count=3, tunables=TUNABLES,
                 shares=(), quic=False, files=None, programs=""):
        self.quic, self.files = quic, files or {}
        self.conf, self.preload, self.more = conf, preload, ""
        self.smbd = "smbd"
        if programs:
            self.smbd = f"{programs}/smbd -s /etc/samba/smb.conf"
            self.conf += SMB_BUILT
        self.shares = (SHARE, *shares)
        self.count, self.tunables = count, tunables
        self.nodes, self.ssh = [], None

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="smbd-uring-cluster-")
        os.chmod(self.dir, 0o755)
        self.shared = f"{self.dir}/shared"
        os.makedirs(f"{self.shared}/.ctdb")
        for name in self.shares:
            os.mkdir(f"{self.shared}/{name}")
            os.chmod(f"{self.shared}/{name}", 0o777)
        self.share = f"{self.shared}/{SHARE}"
        os.mkdir(f"{self.dir}/bin")
        for name, text in STUBS.items():
            with open(f"{self.dir}/bin/{name}", "w") as f:
                f.write(text)
            os.chmod(f"{self.dir}/bin/{name}", 0o755)
        self.path = (f"{self.dir}/bin:{TOP}/bin:/usr/local/sbin:"
                     "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        with open(f"{self.dir}/client.conf", "w") as f:
            f.write("[global]\n" + "".join(
                f"{name} = {self.dir}\n" for name in
                ("lock directory", "state directory", "cache directory",
                 "private dir")))
        try:
            self.wire()
            self.ssh = Ssh(self.dir, self.inside)
            self.nodes = [Node(self, number) for number in range(self.count)]
            for node in self.nodes:
                node.prepare()
                node.boot()
            self.wait_healthy()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wire(self):
        ctypes.CDLL(None, use_errno=True).unshare(0x40000000)  # CLONE_NEWNET
        ip("link", "set", "lo", "up")
        for bridge in "br-public", "br-private":
            ip("link", "add", bridge, "type", "bridge")
            ip("link", "set", bridge, "up")
        ip("addr", "add", f"{CLIENT}/24", "dev", "br-public")

    def __exit__(self, *_):
        for node in self.nodes:
            if node.process:
                node.power_off()
        if self.ssh:
            self.ssh.close()
        remove_tree(self.dir)

    def inside(self, address):
        """The beginning of a command in the node with this address, or None."""
        node = self.nodes[PRIVATE.index(address)]
        return node.process and [*node.inside, "env", f"PATH={self.path}"]

    def running(self):
        return [node for node in self.nodes if node.process]

    def wait_healthy(self, nodes=None):
        """Wait until these, or all, serve, and have public addresses."""
        nodes = self.running() if nodes is None else nodes
        good = wait_for(lambda: all(node.healthy() and node.addresses()
                                    for node in nodes) and
                        all(map(self.holder, PUBLIC)))
        if not good:
            raise RuntimeError("the cluster is not healthy:\n" +
                               self.explain())

    def holder(self, address):
        """The node that has this public address now, or None."""
        for node in self.running():
            if address in node.addresses():
                return node
        return None

    def wait_known(self, stream, address):
        """Wait until all nodes know the TCP client; whether they do.

        A node that takes the address tells only those that it knows.  Another
        one that waits for an answer waits for its own time limit.
        """
        return wait_for(lambda: all(
            f":{stream.port} " in node.ctdb("gettickles", address)
            for node in self.running()))

    def explain(self):
        """What to print if something went wrong."""
        return "\n".join(
            f"node {node.number}:\n{node.run('ctdb', 'status', timeout=10)[1]}"
            f"{node.ctdb_log()[-3000:]}{node.log()[-2000:]}"
            f"{node.quicd_log()[-2000:]}"
            for node in self.running())

    def use(self, preload, more=""):
        """Start all smbds again, with another library or (None) without.

        more: lines for [global], in place of those of the last call.
        """
        self.preload, self.more = preload, more
        for node in self.nodes:
            node.write_service()
            node.write_conf()
        for action in "stop", "start":
            for node in self.running():
                node.run("service", "smbd", action, check=True)
        self.wait_healthy()

    def add_user(self, name=USER):
        """Add it on one node; passdb.tdb is the cluster's."""
        done = subprocess.run(
            [*self.nodes[0].inside, "pdbedit", "-a", "-t", "-u", name],
            input=f"{PASSWORD}\n" * 2, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"pdbedit: {done.stdout}")

    def smbclient(self, address, *commands, options=()):
        """The Popen of an smbclient that executes the commands, or waits."""
        return subprocess.Popen(
            ["smbclient", "-s", f"{self.dir}/client.conf", "-N",
             "-t", str(20 * SLOW), "-I", address, f"//server/{SHARE}",
             *options, *(["-c", "; ".join(commands)] if commands else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
