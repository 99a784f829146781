# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of shared libraries (64 bits, little endian) that lack something."""

import struct

DYNAMIC, DYNSYM = 6, 11
NEEDED, STRTAB = 1, 5


def sections(data):
    """[(type, file offset, size, link)]"""
    start, = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    return [(kind, offset, length, link) for kind, offset, length, link in
            (struct.unpack_from("<4xI16xQQI", data, start + i * size)
             for i in range(count))]


def string(data, offset):
    return bytes(data[offset:data.index(0, offset)]).decode()


def named_section(data, name):
    """The content of the section with that name, or b""."""
    start, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<I20xQQ", data, start + i * size)
               for i in range(count)]
    for text, offset, length in headers:
        if string(data, headers[names][1] + text) == name:
            return bytes(data[offset:offset + length])
    return b""


def symbols(data):
    """[(name, file offset of the entry, of the name, whether defined)]"""
    table = sections(data)
    found = []
    for kind, offset, length, link in table:
        if kind != DYNSYM:
            continue
        names = table[link][1]
        for entry in range(offset + 24, offset + length, 24):
            name, section = struct.unpack_from("<I2xH", data, entry)
            found.append((string(data, names + name), entry, names + name,
                          section != 0))
    return found


def without_definition(path, copy, symbol):
    """A library that no longer defines symbol."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    for name, entry, _, defined in symbols(data):
        if name == symbol and defined:
            data[entry + 6:entry + 16] = bytes(10)  # section and value
    with open(copy, "wb") as f:
        f.write(data)


def misspelt(path, copy, name):
    """A library in which a dynamic string begins with "~"."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    table = sections(data)
    strings = next(table[link] for kind, _, _, link in table
                   if kind == DYNAMIC)
    start, end = strings[1], strings[1] + strings[2]
    at = data.index(b"\0" + name.encode() + b"\0", start, end) + 1
    data[at] = ord("~")
    with open(copy, "wb") as f:
        f.write(data)
