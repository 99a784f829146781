# SPDX-License-Identifier: GPL-3.0-or-later
"""The first process of a node: it mounts, and then only reaps.

init.py NAME DIRECTORY DIRECTORY... -- FILE...

It binds DIRECTORY of the node over each directory, and over each file the one
of that name.  A root of tests/tools/debian has no mount(8).
"""

import ctypes
import os
import signal
import socket
import sys

MS_BIND = 4096
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind="none", flags=0, data=""):
    if libc.mount(source.encode(), target.encode(), kind.encode(),
                  ctypes.c_ulong(flags), data.encode()) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"mount {source}: {os.strerror(error)}", target)


name, node = sys.argv[1:3]
split = sys.argv.index("--")
socket.sethostname(name)
for directory in sys.argv[3:split]:
    os.makedirs(directory, exist_ok=True)
    os.makedirs(node + directory, exist_ok=True)
    mount(node + directory, directory, flags=MS_BIND)
mount("tmpfs", "/run", "tmpfs", data="mode=755")
for directory in "samba", "ctdb", "smbd-quicd":
    os.mkdir(f"/run/{directory}", 0o755)
for file in sys.argv[split + 1:]:
    mount(f"{node}/{os.path.basename(file)}", file, flags=MS_BIND)
print("ready", flush=True)
os.close(1)
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD,))
while True:
    signal.sigwait((signal.SIGCHLD,))
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
