# SPDX-License-Identifier: GPL-3.0-or-later
"""Take io_uring away from the calling process, as an administrator would.

Each function is called in a new process before it executes smbd.
"""

import ctypes
import resource
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
PR_CAPBSET_DROP, CAP_IPC_LOCK = 24, 14
IO_URING_SETUP = 425


def prctl(*args):
    if LIBC.prctl(*map(ctypes.c_ulong, args)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def deny_ring(code):
    """A seccomp filter that answers io_uring_setup(2) with an errno."""
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in (
        (0x20, 0, 0, 0),                   # load the system call's number
        (0x15, 0, 1, IO_URING_SETUP),      # another one: skip the next
        (0x06, 0, 0, 0x00050000 | code),   # return SECCOMP_RET_ERRNO
        (0x06, 0, 0, 0x7fff0000)))         # return SECCOMP_RET_ALLOW
    program = ctypes.create_string_buffer(program)
    fprog = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", 4, ctypes.addressof(program)))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(fprog))


def no_locked_memory():
    """RLIMIT_MEMLOCK of 0, and no capability to pass over it."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK)
