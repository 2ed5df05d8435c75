"""Which process listens on a loopback port, where the system lets us see it."""

import re
from pathlib import Path

_LISTEN = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


def port_holder(port: int, proc: Path = Path("/proc")) -> str | None:
    """`name (pid N)` of the listener on a TCP port; None when unknown (no Linux, no right)."""
    inodes = _listening(proc, port)
    if not inodes:
        return None
    for folder in proc.glob("[0-9]*"):
        if _open_sockets(folder / "fd") & inodes:
            return f"{_name(folder)} (pid {folder.name})"
    return None


def _listening(proc: Path, port: int) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


def _open_sockets(folder: Path) -> set[str]:
    found = set()
    try:
        for entry in folder.iterdir():
            match = _SOCKET.fullmatch(str(entry.readlink()))
            if match:
                found.add(match[1])
    except OSError:  # gone, or another user's
        pass
    return found


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text("utf-8").strip()
    except OSError:
        return "?"
