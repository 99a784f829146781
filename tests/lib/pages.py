# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page of the docs has an administrator do, for tests that do it.

A comment before an indented block of a page says what a test does with it:
"<!-- run -->" has commands, "<!-- smb.conf -->" lines for [global].  What is not
done in the course of the page has a name, as in "<!-- run demo -->".
"""

import os
import pty
import re
import select
import subprocess


def blocks(path, name=""):
    """[(mark, lines)] in their order; a command of several lines is one."""
    with open(path) as f:
        text = f.read()
    return [(mark, re.sub(r"\s*\\\n\s*", " ", block).replace("\n    ", "\n")
             .strip().split("\n"))
            for mark, named, block in re.findall(
                r"^<!-- (run|smb\.conf) ?(\w*) -->\n\n((?:    .*\n)+)", text,
                re.MULTILINE) if named == name]


def terminal(command, **keywords):
    """(exit status, output) on a terminal, where somebody answers yes."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, shell=True, stdin=theirs,
                               stdout=theirs, stderr=theirs, **keywords)
    os.close(theirs)
    output = b""
    while True:
        late = not select.select([ours], [], [], 1)[0]
        try:
            output += b"" if late else os.read(ours, 65536)
        except OSError:  # nobody has the other end any more
            break
        # apt forgets what was typed before it listens
        if re.search(rb"\[[Yy]/[Nn]\] %s$" % (rb"(y\r\n)*" if late else b""),
                     output):
            os.write(ours, b"y\n")
    os.close(ours)
    return process.wait(), output.decode(errors="replace")


def follow(path, configure, name="", **keywords):
    """Do what a page says; yields (command, exit status, output) of each.

    configure(lines) puts lines into smb.conf; the keywords are subprocess's.
    """
    for mark, lines in blocks(path, name):
        if mark == "smb.conf":
            configure(lines)
            continue
        for command in lines:
            yield command, *terminal(command, **keywords)


def without_network():
    """Let apt install from its cache, and not wait for a mirror."""
    with open("/etc/apt/apt.conf.d/without-network", "w") as f:
        f.write("".join(f'Acquire::{p}::Proxy "http://127.0.0.1:1";\n'
                        for p in ("http", "https")))


def set_global(lines, path="/etc/samba/smb.conf"):
    """Put lines into [global]."""
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace("[global]\n", "\n".join(["[global]", *lines, ""]),
                             1))
