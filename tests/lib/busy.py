# SPDX-License-Identifier: GPL-3.0-or-later
"""A client whose connections are sampled when the test wants it."""

import smb3
from smbd import PASSWORD, wait_for


class Busy:
    """A client of one share or more, whose loop in smbd turns when asked to."""

    def __init__(self, smbd, share, channels=1, user="root"):
        self.smbd = smbd
        self.client = smb3.Client(smbd.connect(channels, 16384), user,
                                  PASSWORD, share)
        self.first = self.client.first
        self.trees = {share: self.first.tree_id}

    def connect(self, share):
        self.first.tree_connect(share)
        self.trees[share] = self.first.tree_id

    def disconnect(self, share):
        self.first.tree_id = self.trees.pop(share)
        self.first.tree_disconnect()
        if self.trees:
            self.first.tree_id = list(self.trees.values())[-1]

    def work(self):
        files = [tree for share, tree in self.trees.items() if share != "IPC$"]
        if files:
            self.first.tree_id = files[-1]
            self.first.close_handle(self.first.open("", directory=True))
        else:
            self.first.request(13, b"\4\0\0\0")  # ECHO

    def rows(self):
        """What is published of it after it has worked."""
        self.work()
        ports = {channel.socket.getsockname()[1]
                 for channel in self.client.channels}
        return [row for row in self.smbd.rows()
                if int(row["client"].rpartition(":")[2]) in ports]

    def comes_to(self, condition):
        """Whether one row becomes so while it works; and the last seen."""
        seen = []

        def now():
            seen[:] = self.rows()
            return len(seen) == 1 and condition(seen[0])
        return wait_for(now), seen

    def close(self):
        self.client.close()
