"""Stand-ins for hosts elsewhere: an `ssh` on PATH that asks one server in the test for the answer of each host.

The server decides what every host answers and when, so a test counts and synchronises the probes without a clock.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# The host is the last word but one. It answers with its exit code, and then what it prints: where it failed, on stderr.
# The first lines are distlib's for an interpreter whose path has a blank.
_SSH = """#!/bin/sh
'''exec' {python} -IS "$0" "$@"
' '''
import os, socket, sys
host = sys.argv[-2].split("@")[-1]
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    server.sendall(host.encode())
    server.shutdown(socket.SHUT_WR)
    with server.makefile("rb") as said:
        code, out = int(said.readline() or b"255"), said.read()
try:
    os.write(2 if code else 1, b"")
    (sys.stderr if code else sys.stdout).buffer.write(out)
    sys.stdout.flush()
except BrokenPipeError:
    pass
os._exit(code)
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What the command on a host came to: what it printed, and its exit code, 255 where ssh itself failed."""

    out: bytes
    code: int = 0


class StandIns:
    """Hosts that answer as they are set to. `answers` are by host; `before` runs in a thread before each answer.

    `calls` counts the commands by host, and `most_at_once` the most that were running at a time.
    """

    def __init__(self, folder: Path) -> None:
        self.answers: dict[str, Said] = {}
        self.before: Callable[[str], None] = lambda _host: None
        self.calls: Counter[str] = Counter()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._server = socket.socket(socket.AF_UNIX)
        address = folder / "hosts"
        self._server.bind(str(address))
        self._server.listen(256)
        self.path = folder / "bin"
        self.path.mkdir()
        program = self.path / "ssh"
        program.write_text(_SSH.format(python=shlex.quote(sys.executable), address=str(address)), encoding="utf-8")
        program.chmod(0o755)
        self._thread = threading.Thread(target=self._serve, name="stand-ins", daemon=True)
        self._thread.start()

    def environment(self) -> dict[str, str]:
        """Return PATH with this `ssh` first."""
        return {"PATH": f"{self.path}{os.pathsep}{os.environ['PATH']}"}

    def forget(self) -> None:
        """Count from zero."""
        with self._lock:
            self.calls.clear()
            self.most_at_once = 0

    def close(self) -> None:
        """Answer no more."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                asking, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(asking,), daemon=True).start()

    def _answer(self, asking: socket.socket) -> None:
        with asking, contextlib.suppress(OSError):
            host = asking.makefile("rb").read().decode()
            with self._lock:
                self.calls[host] += 1
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
            try:
                self.before(host)
                said = self.answers[host]
                asking.sendall(b"%d\n%b" % (said.code, said.out))
            finally:
                with self._lock:
                    self._at_once -= 1
