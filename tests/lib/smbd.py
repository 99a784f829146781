# SPDX-License-Identifier: GPL-3.0-or-later
"""A private smbd, clients for it, and the output of tests (TAP)."""

import contextlib
import ctypes
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
PRELOAD = os.path.join(TOP, "bin/smbd-uring-preload.so")
MODULE = os.path.join(TOP, "bin/smbd-uring-module.so")
TOOL = os.path.join(TOP, "bin/smbd-uring")
ACTIVE = ("smbd_uring:backend = io_uring\nsmbd_uring:sockopt = auto\n"
          "smbd_uring:log = connections\n")
# How slow this place is, from tests/run: for example a kernel with KASAN.
SLOW = int(os.environ.get("TESTS_SLOW", "1"))
# a wait gives up after so many seconds; no test measures time by it
PATIENCE = 60 * SLOW
# what a process that has ended, or a closed descriptor, makes of its /proc
GONE = FileNotFoundError, ProcessLookupError

CONF = """
[global]
server role = standalone server
workgroup = TEST
netbios name = TEST
interfaces = 127.0.0.1/8
bind interfaces only = yes
smb ports = {port}
disable netbios = yes
map to guest = Bad User
load printers = no
printcap name = /dev/null
disable spoolss = yes
log file = {dir}/log
logging = file
log level = 1
max log size = 0
lock directory = {dir}/lock
state directory = {dir}/state
cache directory = {dir}/cache
pid directory = {dir}/pid
private dir = {dir}/private
ncalrpc dir = {dir}/ncalrpc
usershare max shares = 0
{extra}
"""
SHARE = """
[{name}]
path = {dir}/{name}
read only = no
guest ok = yes
"""
PASSWORD = "secret"
# in what strace prints; not that of the child which only tries io_uring
ENTER = re.compile(r"io_uring_enter(?!\(\d+, 0, 0, 0, NULL, 0\))")


def wait_for(condition, patience=PATIENCE):
    """Wait until condition() is true, with a time limit; return its truth."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def remove_tree(path):
    """Of files that programs which were killed may still change."""
    if not wait_for(lambda: shutil.rmtree(path, ignore_errors=True) or
                    not os.path.exists(path)):
        shutil.rmtree(path)  # raises what is wrong


def free_port():
    """One that no client takes meanwhile: Linux gives these from 32768 on."""
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket() as tcp, \
                socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tcp.bind(("", port))
                udp.bind(("", port))
                return port
            except OSError:
                pass


def listens(port):
    """Check without a connection, which smbd would log."""
    with open("/proc/net/tcp") as f:
        return f":{port:04X} 00000000:0000 0A" in f.read()


def die_with_parent():
    """Called in a new process: the kernel kills it when the test ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Smbd:
    """with Smbd(globals, preload=PRELOAD) as smbd: ...

    conf: more lines for [global]; wrap: a command that is to execute smbd;
    prepare: called in the new process just before that; shares: may be a
    dictionary with more lines for each; programs: the directory of another
    smbd than the distribution's.
    """

    def __init__(self, conf="", preload=None, wrap=(), prepare=None,
                 shares=("share",), programs=""):
        self.dir = tempfile.mkdtemp(prefix="smbd-uring-")
        os.chmod(self.dir, 0o755)
        for name in "lock state cache pid private ncalrpc".split():
            os.mkdir(f"{self.dir}/{name}")
        self.port = free_port()
        # where its names.tdb is; conf may have a line of its own
        self.lock = re.findall(r"^lock directory = (.*)$",
                               f"lock directory = {self.dir}/lock\n{conf}",
                               re.MULTILINE)[-1]
        with open(f"{self.dir}/smb.conf", "w") as f:
            f.write(CONF.format(port=self.port, dir=self.dir,
                                extra=conf.replace("{dir}", self.dir)))
            for name in shares:
                self.empty(name)
                f.write(SHARE.format(name=name, dir=self.dir))
                if isinstance(shares, dict):
                    f.write(shares[name].replace("{dir}", self.dir))
        with open(f"{self.dir}/client.conf", "w") as f:
            f.write("[global]\n" + "".join(
                f"{d} = {self.dir}/{s}\n" for d, s in (
                    ("lock directory", "lock"), ("state directory", "state"),
                    ("cache directory", "cache"), ("private dir", "private"),
                    ("log file", "client.log"))))
        # set LD_PRELOAD by env(1): for smbd alone, not for its wrapper
        preloaded = ["env", f"LD_PRELOAD={preload}"] if preload else []
        self.path = ":".join((programs, os.environ["PATH"], "/usr/sbin"))
        self.program = self.tool("smbd")
        self.out = open(f"{self.dir}/out", "w")
        self.process = subprocess.Popen(
            [*wrap, *preloaded, self.program, "-s",
             f"{self.dir}/smb.conf", "-F", "--no-process-group"],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out,
            start_new_session=True,
            preexec_fn=lambda: (die_with_parent(), prepare and prepare()))

    def __enter__(self):
        ready = wait_for(lambda: self.ready() or
                         self.process.poll() is not None)
        if not ready or self.process.poll() is not None:
            text = self.log() + self.output()
            self.__exit__()
            raise RuntimeError("smbd did not start:\n" + text)
        return self

    def __exit__(self, *_):
        group = self.process.pid
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(group, sign)
            except ProcessLookupError:
                break
            wait_for(lambda: self.process.poll() is not None)
        self.out.close()
        remove_tree(self.dir)

    def empty(self, share):
        """Create its directory, after removing an old one."""
        shutil.rmtree(f"{self.dir}/{share}", ignore_errors=True)
        os.mkdir(f"{self.dir}/{share}")
        os.chmod(f"{self.dir}/{share}", 0o777)

    def add_user(self, name):
        """Add a user of the system to smbd's users, with PASSWORD."""
        subprocess.run(["pdbedit", "-s", f"{self.dir}/smb.conf", "-a", "-t",
                        "-u", name], input=f"{PASSWORD}\n" * 2, text=True,
                       stdout=subprocess.DEVNULL, check=True)

    def ready(self):
        """Whether it serves: smbd listens before its notifyd has a name.

        Until then smbd answers a tree connect with NT_STATUS_NO_MEMORY
        (notify_init() in source3/smbd/notify_msg.c).
        """
        try:
            with open(f"{self.lock}/names.tdb", "rb") as f:
                return b"notify-daemon" in f.read() and self.listening()
        except FileNotFoundError:
            return False

    def listening(self):
        return listens(self.port)

    def tool(self, name):
        """A program that comes with this smbd."""
        return shutil.which(name, path=self.path) or name

    def connect(self, count=1, receive_buffer=0):
        """Sockets that are connected to it."""
        sockets = []
        for _ in range(count):
            connected = socket.socket()
            if receive_buffer:
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                     receive_buffer)
            connected.connect(("127.0.0.1", self.port))
            sockets.append(connected)
        return sockets

    def connected(self, peer):
        """Whether smbd still has its end of a connection from this port."""
        with open("/proc/net/tcp") as f:
            return f":{self.port:04X} 0100007F:{peer:04X} " in f.read()

    def log(self):
        try:
            with open(f"{self.dir}/log", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def output(self):
        with open(f"{self.dir}/out", errors="replace") as f:
            return f.read()

    def lines(self, start=""):
        """Our lines in the log that begin with start."""
        found = re.findall(r"smbd_uring(?:_\w+)?: (.*)", self.log())
        return [line for line in found if line.startswith(start)]

    def wait_lines(self, start, count):
        """Wait for at least so many lines, and return them."""
        wait_for(lambda: len(self.lines(start)) >= count)
        return self.lines(start)

    def status(self, *options, **keywords):
        """The rows of smbd-uring status for it."""
        return subprocess.run(
            [TOOL, "status", "--directory", f"{self.dir}/lock/smbd_uring",
             *options], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **keywords)

    def rows(self):
        done = self.status("--json")
        return json.loads(done.stdout)["connections"] if done.stdout else []

    def set_conf(self, old, new):
        """Change smb.conf and have all processes load it."""
        path = f"{self.dir}/smb.conf"
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace(old, new))
        subprocess.run([self.tool("smbcontrol"), "-s", path, "smbd",
                        "reload-config"], check=True)

    def pids(self):
        """smbd's processes."""
        return [int(pid) for pid in subprocess.run(
            ["pgrep", "-g", str(self.process.pid)], text=True,
            stdout=subprocess.PIPE).stdout.split()]

    def rings(self):
        """How many of smbd's processes have a ring."""
        return sum(has_ring(pid) for pid in self.pids())

    def smbclient(self, *commands, address="127.0.0.1", inside=(),
                  options=()):
        """The Popen of an smbclient that executes the commands, or waits."""
        return subprocess.Popen(
            [*inside, "smbclient", "-s", f"{self.dir}/client.conf", "-N",
             "-t", str(20 * SLOW), "-p", str(self.port), "-I", address,
             "//server/share", *options,
             *(["-c", "; ".join(commands)] if commands else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    @contextlib.contextmanager
    def connection(self):
        """A client that stays connected."""
        client = self.smbclient()
        client.stdin.write("mkdir connected\n")
        client.stdin.flush()
        wait_for(lambda: os.path.isdir(f"{self.dir}/share/connected"))
        yield client
        client.communicate("exit\n", timeout=PATIENCE)

    def smbtorture(self, *tests, share="share", user="guest%", timeout=240,
                   program=("smbtorture",), port="smbports="):
        """(exit status, output) of smbtorture against the share.

        port: what says where to connect; with Samba 4.24 it has to be
        "clientsmbtransports=tcp:".
        """
        done = subprocess.run(
            ["timeout", str(timeout * SLOW), *program,
             "-s", f"{self.dir}/client.conf", f"//127.0.0.1/{share}",
             "-U", user, f"--option={port}{self.port}", *tests],
            cwd=self.dir,  # where it leaves things
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        return done.returncode, done.stdout

    def transfer(self, name="file", size=5 << 20):
        """Put a file, list it, get it back: "" or the error."""
        path = f"{self.dir}/{name}"
        data = os.urandom(size)
        with open(path, "wb") as f:
            f.write(data)
        client = self.smbclient(f"put {path} {name}", f"ls {name}",
                                f"get {name} {path}.back")
        output, _ = client.communicate(timeout=PATIENCE)
        if client.returncode != 0:
            return f"smbclient: exit status {client.returncode}: {output}"
        if not re.search(rf"^ *{name} .* {size} ", output, re.MULTILINE):
            return f"not listed: {output}"
        with open(f"{self.dir}/share/{name}", "rb") as stored, \
                open(f"{path}.back", "rb") as back:
            if stored.read() != data:
                return "what smbd stored differs"
            if back.read() != data:
                return "what came back differs"
        return ""


def samba_versions():
    """Those of samba/build that Debian has, the oldest first."""
    return subprocess.run([f"{TOP}/samba/build", "--versions"], check=True,
                          text=True, stdout=subprocess.PIPE).stdout.split()


def samba_build(version):
    """The programs of samba/build; in a virtual machine only if they exist."""
    cached = ["--cached"] if "VM_KERNEL" in os.environ else []
    # the first build takes half an hour, longer than tests' time limits
    done = subprocess.run(["nice", f"{TOP}/samba/build", *cached, version],
                          text=True, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"samba/build {version}: exit status {done.returncode}")
    return done.stdout.strip()


def newer_smbtorture(suite="trixie"):
    """The command that runs that suite's, or None if that is not possible.

    It has more tests than Debian 12's.
    """
    done = subprocess.run([f"{TOP}/tests/tools/debian", suite, "--root"], text=True,
                          stdout=subprocess.PIPE)
    if done.returncode == 77:
        return None
    done.check_returncode()
    root = done.stdout.strip()
    libraries = glob.glob(f"{root}/usr/lib/*-linux-gnu")[0]
    return [glob.glob(f"{libraries}/ld-linux*.so.*")[0], "--library-path",
            f"{libraries}:{libraries}/samba", f"{root}/usr/bin/smbtorture"]


def has_ring(pid):
    directory = f"/proc/{pid}/fd"
    try:
        return any("io_uring" in os.readlink(f"{directory}/{fd}")
                   for fd in os.listdir(directory))
    except GONE:  # the process or the descriptor
        return False


def items(line):
    """A transport or queries line: ({field: value}, {query: way})."""
    fields, _, ways = line.partition(" via ")
    return tuple(dict(word.split("=", 1) for word in part.split()
                      if "=" in word) for part in (fields, ways))


def no_ring():
    """The reason why this process cannot have a ring, or ""."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(425, 1, ctypes.create_string_buffer(120))
    if fd < 0:
        return "io_uring_setup: " + os.strerror(ctypes.get_errno())
    os.close(fd)
    return ""


class Tap:
    """with Tap() as tap: tap.ok(...).  The plan comes last: no plan, no run."""

    def __init__(self):
        self.count = self.failed = 0

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
        return self

    def ok(self, good, name, *details):
        """details: printed if it is not good."""
        self.count += 1
        self.failed += not good
        print("ok" if good else "not ok", self.count, "-", name)
        if not good:
            for line in "\n".join(map(str, details)).splitlines():
                print("#", line)
        sys.stdout.flush()
        return good

    def skip(self, name, reason):
        self.count += 1
        print("ok", self.count, "-", name, "# SKIP", reason, flush=True)

    def __exit__(self, kind, *_):
        if kind is None:
            print(f"1..{self.count}", flush=True)
            sys.exit(1 if self.failed else 0)
