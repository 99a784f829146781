# SPDX-License-Identifier: GPL-3.0-or-later
"""A made day for smbd-uring report, and a browser for its page."""

import json
import shutil
import subprocess
import tempfile

# Bob's bad network: so many seconds before the end of the day.
BAD = range(7200, 3600, -1)
# Carol's notebook sleeps.
STALL = range(19000, 18000, -1)


def client(address, users, shares, sent, **values):
    return {"client": address, "transport": "tcp", "users": users,
            "shares": shares, "state": "", "rtt_us": 400, "loss_ppm": 0,
            "stall_ms": 0, "bytes_acked": sent, "bytes_received": sent // 10,
            **values}


def sample(when, now):
    """Alice has a good network, bob a bad one for an hour."""
    passed = when - (now - 86400)
    clients = [client("192.0.2.7", ["alice"], ["projects"], passed * 1000000)]
    bad = now - when in BAD
    clients.append(client(
        "192.0.2.9", ["bob"], ["projects", "home"], passed * 10000,
        state="LOSS" if bad else "ok", loss_ppm=123400 if bad else 300,
        rtt_us=142000 if bad else 900))
    if when > now - 36000:  # without limits in smb.conf
        clients.append(client("2001:db8::1", ["carol"], ["home"], 5,
                              stall_ms=42000 if now - when in STALL else 0))
    return {"time": when, "left_out": 0, "clients": clients}


def write(directory, now, make):
    """The files of a day, of what make(time) returns for each minute."""
    hours = {}
    # what this hour replaces of the day before is gone
    for when in range((now // 3600 - 23) * 3600, now, 60):
        hours.setdefault(when // 3600 % 24, []).append(json.dumps(make(when)))
    for hour, lines in hours.items():
        with open(f"{directory}/hour-{hour:02}.jsonl", "w") as f:
            f.write("\n".join(lines) + "\n")


def chromium(url, *options):
    """What a headless Chromium does with the page; None: there is none."""
    program = shutil.which("chromium")
    if program is None or url is None:
        return program
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            [program, "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run",
             f"--user-data-dir={home}", *options, url], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300)
