"""Nothing that runs here can be reached from another machine."""

import ipaddress
import os
import re
import unittest
from pathlib import Path

from shell import pid, port, sessions, watch

LISTENING = "0A"

PROCESSES = ["emulator", "partners", "page"]


class Sockets(unittest.TestCase):
    def test_the_stack_listens_on_loopback_only(self):
        self.assert_loopback(listening(sessions(*map(pid, PROCESSES))), *map(port, PROCESSES))

    def test_watch_listens_on_loopback_only(self):
        with watch() as (session, watch_port):
            self.assert_loopback(listening(sessions(session)), watch_port)

    def assert_loopback(self, addresses, *ports):
        self.assertLessEqual(set(ports), {listening_port for _, listening_port in addresses})
        self.assertEqual([], [address for address in addresses if not address[0].is_loopback])


def listening(processes):
    """Where these processes accept connections: (address, port)."""
    own = {inode for process in processes for inode in sockets(process)}
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            address, _, listening_port = fields[1].partition(":")
            if fields[3] == LISTENING and fields[9] in own:
                found.append((decoded(address), int(listening_port, 16)))
    return found


def sockets(process):
    """The inodes of a process's sockets."""
    try:
        links = [os.readlink(link) for link in Path(f"/proc/{process}/fd").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [match[1] for link in links if (match := re.fullmatch(r"socket:\[(\d+)\]", link))]


def decoded(address):
    """The kernel writes an address as 32-bit words, each in the byte order of the machine."""
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    return ipaddress.ip_address(b"".join(words))
