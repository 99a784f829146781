# SPDX-License-Identifier: GPL-3.0-or-later
"""Take system calls away from the calling process, as an administrator would.

What takes them away is called in a new process before it executes smbd.
"""

import ctypes
import re
import resource
import struct
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ERRNO = 0x80000000, 0x00050000
SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP = 0, 0x00030000
SECCOMP_RET_ALLOW = 0x7fff0000
PR_CAPBSET_DROP, CAP_IPC_LOCK = 24, 14
IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER = 425, 426, 427


def prctl(*args):
    if LIBC.prctl(*map(ctypes.c_ulong, args)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def seccomp(numbers, answer, otherwise):
    """A filter for the system calls with these numbers, and for all others."""
    instructions = [(0x20, 0, 0, 0)]  # load the system call's number
    for number in numbers:
        instructions += [(0x15, 0, 1, number),  # another one: skip the next
                         (0x06, 0, 0, answer)]  # return
    instructions.append((0x06, 0, 0, otherwise))
    program = ctypes.create_string_buffer(b"".join(
        struct.pack("HBBI", *instruction) for instruction in instructions))
    fprog = ctypes.create_string_buffer(struct.pack(
        "HxxxxxxP", len(instructions), ctypes.addressof(program)))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(fprog))


def deny_ring(code):
    """Answers io_uring_setup(2) with an errno."""
    seccomp([IO_URING_SETUP], SECCOMP_RET_ERRNO | code, SECCOMP_RET_ALLOW)


def kill(number, action=SECCOMP_RET_KILL_PROCESS):
    """Ends who makes this system call, as systemd's SystemCallFilter= does."""
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    seccomp([number], action, SECCOMP_RET_ALLOW)


def unit_filter(path):
    """The numbers of what the SystemCallFilter= lines of a unit let through."""
    done = subprocess.run(
        ["gcc", "-E", "-dM", "-include", "sys/syscall.h", "-"], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    numbers = {name: int(number) for name, number in re.findall(
        r"#define __NR_(\w+) (\d+)", done.stdout)}

    def expand(name):
        if not name.startswith("@"):
            return {numbers[name]} if name in numbers else set()
        done = subprocess.run(["systemd-analyze", "syscall-filter", name],
                              text=True, stdout=subprocess.PIPE, check=True)
        return set().union(*(expand(word) for word in re.findall(
            r"^    ([@\w-]+)$", done.stdout, re.MULTILINE)))

    allowed = expand("@default")
    with open(path) as f:
        for deny, names in re.findall(r"^SystemCallFilter=(~?)(.*)$", f.read(),
                                      re.MULTILINE):
            listed = set().union(*map(expand, names.split()))
            allowed = allowed - listed if deny else allowed | listed
    return sorted(allowed)


def allow_only(numbers):
    """All others end the process, as systemd has it."""
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    seccomp(numbers, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS)


def no_locked_memory():
    """RLIMIT_MEMLOCK of 0, and no capability to pass over it."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK)
