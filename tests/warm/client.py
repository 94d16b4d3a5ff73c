"""`syncd`, as tests call it: asks the warm parent for the command, and ends as the command does.

Run with `-SE`, so that it costs a fiftieth of a second; it may import nothing that is not cheap.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import struct
import sys

_LENGTH = struct.Struct("!I")
_NUMBER = struct.Struct("!i")


def main(path: str, arguments: list[str]) -> None:
    """Ask, wait, and end in the same way."""
    parent = socket.socket(socket.AF_UNIX)
    parent.connect(path)
    asked = marshal.dumps((arguments, dict(os.environ), os.getcwd()))  # noqa: PTH109 - pathlib is not cheap
    socket.send_fds(parent, [_LENGTH.pack(len(asked))], [0, 1, 2])
    parent.sendall(asked)
    pid = _NUMBER.unpack(parent.recv(_NUMBER.size, socket.MSG_WAITALL))[0]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: os.kill(pid, received))
    status = _NUMBER.unpack(parent.recv(_NUMBER.size, socket.MSG_WAITALL))[0]
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status))


main(sys.argv[1], sys.argv[2:])
