"""A warm parent of commands: each is forked from a process that has imported all of syncd.

A command needs a second to import what it uses, and the tests give hundreds of them. A forked one
is a process of its own all the same: its own folder, environment, streams, ledger and end.

`python -m tests.warm.parent SOCKET` serves until its standard input ends. A client (client.py)
sends a length, then `marshal` of (arguments, environment, folder) with its three streams, and gets
the PID, then the wait status. A client that goes away takes its command with it.
"""

from __future__ import annotations

import functools
import gc
import importlib
import marshal
import os
import pkgutil
import selectors
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

import alembic.command
import alembic.config
import typer.main

import syncd
from syncd import __main__ as program
from syncd.core.zone import use_packaged_data
from syncd.wiring import source_options

_LENGTH = struct.Struct("!I")
_NUMBER = struct.Struct("!i")
_STREAMS = 3


def warm() -> None:
    """Do once what every process of syncd does before it works."""
    for module in pkgutil.walk_packages(syncd.__path__, "syncd."):
        if not module.name.startswith(("syncd.migrations", "syncd.__main__")):
            importlib.import_module(module.name)
    assert alembic.command
    assert alembic.config
    use_packaged_data()
    source_options()
    typer.main.get_command = functools.cache(typer.main.get_command)
    typer.main.get_command(importlib.import_module("syncd.cli.main").app)
    gc.collect()
    gc.freeze()


class Parent:
    """Forks a command for each client, and tells it the end."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._clients: dict[int, socket.socket] = {}  # by the PID of their command
        self._told, wakeup = socket.socketpair()
        wakeup.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup.fileno())
        self._wakeup = wakeup

    def serve(self) -> None:
        """Until the standard input ends."""
        with selectors.DefaultSelector() as ready:
            for source in (sys.stdin.fileno(), self._listener, self._told):
                ready.register(source, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj == sys.stdin.fileno():
                        return
                    if key.fileobj is self._listener:
                        client = self._begin(ready)
                        ready.register(client, selectors.EVENT_READ)
                    elif key.fileobj is self._told:
                        self._told.recv(4096)
                        self._tell_ends(ready)
                    else:
                        self._left(ready, key.fileobj)

    def _begin(self, ready: selectors.BaseSelector) -> socket.socket:
        client = self._listener.accept()[0]
        head, streams, _, _ = socket.recv_fds(client, _LENGTH.size, _STREAMS)
        body = client.recv(_LENGTH.unpack(head)[0], socket.MSG_WAITALL)
        pid = os.fork()
        if pid == 0:
            ready.close()
            _become(*marshal.loads(body), streams)
        for stream in streams:
            os.close(stream)
        self._clients[pid] = client
        client.sendall(_NUMBER.pack(pid))
        return client

    def _tell_ends(self, ready: selectors.BaseSelector) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                client = self._clients.pop(ended[0])
                with suppress(KeyError):  # it has left
                    ready.unregister(client)
                with suppress(OSError):
                    client.sendall(_NUMBER.pack(ended[1]))
                client.close()

    def _left(self, ready: selectors.BaseSelector, client: object) -> None:
        """A client was killed: nobody waits for its command any more."""
        ready.unregister(client)  # type: ignore[arg-type]
        for pid, one in self._clients.items():
            if one is client:
                os.kill(pid, signal.SIGKILL)


def _become(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str, streams: Sequence[int]
) -> NoReturn:
    """Be `syncd ARGUMENTS` from here on."""
    code: object = 0
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(_STREAMS, 64)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        sys.argv = ["syncd", *arguments]
        program.main()
    except SystemExit as ending:
        code = ending.code
    except KeyboardInterrupt:
        code = 130
    except BaseException:  # noqa: BLE001 - the parent must not go on in the child
        traceback.print_exc()
        code = 1
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    warm()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(sys.argv[1])
        listening.listen(64)
        sys.stdout.write("warm\n")
        sys.stdout.flush()
        Parent(listening).serve()
