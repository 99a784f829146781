# SPDX-License-Identifier: GPL-3.0-or-later
"""smbd-quicd as the unit of its package, set up by the commands of docs/quic.md.

A part of tests/systemd/booted.  Before it is Debian's smbd with a share; smb.conf
and the key are for root alone.
"""

import contextlib
import os
import pwd
import re
import signal
import subprocess
import threading

import pages
from quicd import QuicClient, run
from smb3 import Client, Error
from smbd import TOP, wait_for

UNIT, PORT = "smbd-quicd.service", 443
NAME = "files.example.org"
CONF = "/etc/samba/smb.conf"
CERTIFICATE = "/etc/samba/tls/files.pem"
USER, PASSWORD = "user1", "Passw0rd-1"
SHARE = "/srv/share"
SIZE, PIECE = 4 << 20, 1 << 16
NET_BIND_SERVICE = 1 << 10  # as in CapEff of /proc/PID/status


class Client443(QuicClient):
    """A QUIC connection to the unit."""

    port = PORT

    def __init__(self):
        super().__init__(self, NAME.encode())


def show(what):
    return run("systemctl", "show", "--value", "-p", what, UNIT).stdout.strip()


def systemctl(verb):
    done = run("systemctl", verb, UNIT)
    return done.returncode, done.stdout


@contextlib.contextmanager
def changed(path):
    """Give a file its text back."""
    with open(path) as f:
        text = f.read()
    try:
        yield text
    finally:
        with open(path, "w") as f:
            f.write(text)


class Journal:
    """What the unit logs from now on."""

    def __init__(self):
        done = run("journalctl", "-q", "-n", "0", "--show-cursor")
        self.cursor = done.stdout.split("-- cursor: ")[1].strip()

    def text(self):
        return run("journalctl", "-q", "-o", "cat", "-u", UNIT,
                   "--after-cursor", self.cursor).stdout

    def has(self, pattern):
        return wait_for(lambda: re.search(pattern, self.text()))


def serial():
    """Of the certificate that a new client sees."""
    shown = run("openssl", "s_client", "-quic", "-connect", f"127.0.0.1:{PORT}",
                "-alpn", "smb", "-servername", NAME, "-CAfile",
                "/root/quic/ca.pem", "-verify_return_error").stdout
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], text=True,
                          input=shown, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout.strip()


def serials():
    """Of several clients, which different workers serve."""
    return {serial() for _ in range(5)}


def prepare():
    os.makedirs("/root/quic/bin")
    os.symlink(os.environ["RESULTS"], "/root/quic/bin/deb")
    os.makedirs(SHARE)
    os.chmod(SHARE, 0o777)
    with open(f"{SHARE}/file", "wb") as f:
        f.write(os.urandom(SIZE))
    os.chmod(f"{SHARE}/file", 0o666)
    run("useradd", USER)
    subprocess.run(["smbpasswd", "-s", "-a", USER], text=True, check=True,
                   input=f"{PASSWORD}\n{PASSWORD}\n",
                   stdout=subprocess.DEVNULL)
    with open(CONF, "a") as f:
        f.write(f"\n[share]\npath = {SHARE}\nread only = no\n")
    os.chmod(CONF, 0o600)
    run("smbcontrol", "smbd", "reload-config")


def set_up(tap):
    """By the page alone."""
    for command, status, output in pages.follow(
            f"{TOP}/docs/quic.md", pages.set_global, cwd="/root/quic"):
        tap.ok(status == 0, f"docs/quic.md: {command[:50]}", status, output,
               run("journalctl", "-u", UNIT, "-n", "20").stdout)
        if command.startswith("apt install"):
            tap.ok(show("ActiveState") == "inactive" and
                   show("UnitFileState") == "disabled",
                   "smbd-quicd: installed, and not started")
    tap.ok(show("ActiveState") == "active" and
           os.stat(CONF).st_mode & 0o777 == 0o600 and
           os.stat(CERTIFICATE.replace(".pem", ".key")).st_mode & 0o777 ==
           0o600, "smbd-quicd: runs with a smb.conf and a key for root alone")


def status_of(pid):
    """{name: value} of a process."""
    with open(f"/proc/{pid}/status") as f:
        return dict(re.findall(r"^(\w+):\t(.*)$", f.read(), re.MULTILINE))


def hardened(tap):
    """In each of its processes, not only in the unit."""
    user = str(pwd.getpwnam("smbd-quicd").pw_uid)
    # by name it would find a "smbd-quicd --reload" that systemd still reaps
    parent = show("MainPID")
    pids = [parent, *run("pgrep", "-P", parent).stdout.split()]
    wrong = []
    for pid in pids:
        status = status_of(pid)
        with open(f"/proc/{pid}/mountinfo") as f:
            root, = [line for line in f if line.split()[4] == "/"]
        if (set(status["Uid"].split()) != {user} or
                int(status["CapBnd"], 16) != NET_BIND_SERVICE or
                int(status["CapEff"], 16) & ~NET_BIND_SERVICE or
                status["NoNewPrivs"] != "1" or status["Seccomp"] != "2" or
                "ro" not in root.split()[5].split(",")):
            wrong += [pid, root, *map(str, status.items())]
    tap.ok(len(pids) > 1 and parent == show("MainPID") and not wrong,
           "smbd-quicd: each process is its user's, without rights, behind a "
           "filter, with a root that is read-only", pids, *wrong)
    # nobody in it may read what it was told
    denied = run("nsenter", "--target", parent, "--mount", "setpriv",
                 f"--reuid={user}", "--clear-groups", "cat", CONF)
    tap.ok("Permission denied" in denied.stdout,
           "smbd-quicd: its user cannot read smb.conf", denied.stdout)


def reloaded(tap, client):
    """A new certificate, by the page's commands."""
    pid, before, journal = show("MainPID"), serial(), Journal()
    sign, = [command for _, lines in pages.blocks(f"{TOP}/docs/quic.md")
             for command in lines if command.startswith("openssl x509")]
    run("sh", "-ec", f"{sign}; install -m 600 files.pem /etc/samba/tls",
        cwd="/root/quic")
    status, output = systemctl("reload")
    tap.ok(status == 0 and journal.has("certificates read again") and
           pid == show("MainPID"), "reload: accepted", status, output,
           journal.text())
    after = serials()
    client.first.echo()
    tap.ok(before and len(after) == 1 and before not in after,
           "reload: new clients see the new certificate, and the old one "
           "lives", before, *after)


def refused(tap, client):
    """Each leaves all that was in force as it was, in each worker."""
    pid, before = show("MainPID"), serial()
    for what, path, text, pattern in (
            ("a value", CONF, "smbd_uring:quic idle timeout = soon",
             r"smbd_uring:quic idle timeout = soon"),
            ("a name", CONF, "smbd_uring:quic idel timeout = 5",
             r"smbd_uring:quic idel timeout"),
            ("a certificate", CERTIFICATE, None, re.escape(CERTIFICATE))):
        journal = Journal()
        with changed(path):
            if text:
                pages.set_global([text, "hosts deny = ALL"])
            else:
                with open(path, "w") as f:
                    f.write("no certificate\n")
            status, output = systemctl("reload")
            seen = serials()
            client.first.echo()
        tap.ok(status != 0 and journal.has(pattern),
               f"reload: {what} that is refused: systemctl fails, and the "
               "journal names it", status, output, journal.text())
        tap.ok(show("ActiveState") == "active" and pid == show("MainPID") and
               seen == {before},
               f"reload: {what} that is refused: all stays as it was", *seen,
               before, journal.text())
    status, output = systemctl("reload")
    tap.ok(status == 0, "reload: mended, it is accepted", output)


def said_status(tap, client):
    def told():
        client.first.echo()  # OpenSSL answers only while it is called
        return re.match(r"[1-9]\d* connections, \d+ of \d+ MiB in use, .* accepted.* "
                        r"ends in 36[45] days$", show("StatusText"))

    tap.ok(wait_for(told), "smbd-quicd: its line for systemctl status",
           show("StatusText"), run("journalctl", "-u", UNIT, "-n", "20").stdout)


class Reader(threading.Thread):
    """A client in the middle of a transfer; begins when it may."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.channel = client.first
        self.handle = self.channel.open("file")
        self.pieces = 0
        self.go_on = threading.Event()
        self.data = b""
        self.error = None
        self.start()

    def run(self):
        try:
            while len(self.data) < SIZE:
                self.data += self.channel.read_file(self.handle, PIECE,
                                                    at=len(self.data))
                self.pieces += 1
                # busy, but not done before it has been told
                if len(self.data) > SIZE // 2:
                    self.go_on.wait(0.1)
        except (Error, OSError) as error:
            self.error = error


def drained(tap, connection, client):
    journal = Journal()
    reader = Reader(client)
    wait_for(lambda: reader.pieces > 2)
    run("systemctl", "stop", "--no-block", UNIT)
    stopping = wait_for(lambda: show("ActiveState") == "deactivating")
    late = Client443()
    told = journal.has("refused: smbd-quicd is shutting down")
    pieces = reader.pieces
    more = wait_for(lambda: reader.pieces > pieces + 2)
    state = show("ActiveState")
    reader.go_on.set()
    reader.join(60)
    with open(f"{SHARE}/file", "rb") as f:
        whole = reader.data == f.read()
    tap.ok(stopping and more and state == "deactivating" and told,
           "stop: a transfer goes on, and a new client is refused", stopping,
           more, state, reader.error, journal.text())
    tap.ok(whole and wait_for(lambda: show("ActiveState") == "inactive") and
           show("Result") == "success",
           "stop: it ends when the transfer is whole", len(reader.data),
           reader.error, show("Result"), journal.text())
    late.close()
    connection.close()


def watched(tap):
    """With a shorter time than the unit's."""
    tap.ok(show("WatchdogUSec") == "1min", "smbd-quicd: systemd watches it",
           show("WatchdogUSec"))
    path = f"/run/systemd/system/{UNIT}.d/watchdog.conf"
    os.makedirs(os.path.dirname(path))
    with open(path, "w") as f:
        f.write("[Service]\nWatchdogSec=3\nTimeoutAbortSec=1\n")
    run("systemctl", "daemon-reload")
    systemctl("start")
    pid, journal = show("MainPID"), Journal()
    worker = run("pgrep", "-P", pid).stdout.split()[0]
    os.kill(int(worker), signal.SIGSTOP)
    tap.ok(wait_for(lambda: show("MainPID") not in (pid, "0") and
                    show("ActiveState") == "active") and
           journal.has("Watchdog timeout") and serial(),
           "smbd-quicd: a worker hangs, systemd starts it again",
           show("ActiveState"), journal.text())
    systemctl("stop")
    os.unlink(path)
    os.rmdir(os.path.dirname(path))
    run("systemctl", "daemon-reload")


def test(tap):
    """The package stays; its unit does not run and is not enabled."""
    prepare()
    set_up(tap)
    pages.set_global(["smbd_uring:quic drain timeout = 60"])
    systemctl("reload")
    hardened(tap)
    connection = Client443()
    client = Client([connection.stream()], USER, PASSWORD)
    reloaded(tap, client)
    refused(tap, client)
    said_status(tap, client)
    drained(tap, connection, client)
    watched(tap)
    systemctl("disable")
