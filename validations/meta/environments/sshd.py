"""A real sshd on loopback with keys of its own: what a host elsewhere is, to whoever reaches it over ssh."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from fixtures.processes import end, end_with_parent, free_port, wait_until

READY_SECONDS = 20.0
ATTEMPTS = 5


def lacking() -> str:
    """Return what this machine lacks of it, or nothing."""
    missing = [name for name in ("ssh", "ssh-keygen") if shutil.which(name) is None]
    return f"{missing[0]} is not installed" if missing else "" if _program() else "sshd is not installed"


def _program() -> str | None:
    return shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


class Sshd:
    """One server, and what a client needs to log in there as whoever runs this."""

    def __init__(self, folder: Path, *, address: str = "127.0.0.1", keys: str = "ed25519") -> None:
        self.folder = folder
        self.address = address
        self.log = folder / "sshd.log"
        folder.mkdir()
        folder.chmod(0o700)
        for name in ("host", "user"):
            words = ["ssh-keygen", "-q", "-m", "PEM", "-t", keys, "-N", "", "-f", str(folder / name)]
            subprocess.run(words, check=True, timeout=30)
        self.process, self.port = self._started()
        self.client = folder / "client"
        (folder / "known").write_text(f"[{address}]:{self.port} {(folder / 'host.pub').read_text(encoding='utf-8')}")
        self.client.write_text(
            f"IdentityFile {folder / 'user'}\nIdentitiesOnly yes\nUserKnownHostsFile {folder / 'known'}\n"
            "StrictHostKeyChecking yes\n"
        )

    @property
    def url(self) -> str:
        """The host's name in environments.toml."""
        return f"ssh://{getpass.getuser()}@{self.address}:{self.port}?ssh_config={self.client}"

    @property
    def host_id(self) -> str:
        """The host's name in reports."""
        return f"{self.address}-{self.port}"

    @property
    def connections(self) -> int:
        """How often somebody logged in."""
        return self._said().count("Accepted publickey")

    @property
    def commands(self) -> int:
        """How many commands were run."""
        return len(re.findall("Starting session: command", self._said()))

    def processes(self) -> list[psutil.Process]:
        """The server, and everything that it started and that still runs."""
        server = psutil.Process(self.process.pid)
        return [server, *server.children(recursive=True)]

    def stop(self) -> list[psutil.Process]:
        """Send SIGSTOP to all of it: the machine goes on taking connections, and nobody answers."""
        stopped = self.processes()
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        return stopped

    def close(self) -> None:
        """End it, stopped or not."""
        if self.process.poll() is None:
            for process in reversed(self.processes()):
                process.kill()
        end(self.process)

    def _said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _started(self) -> tuple[subprocess.Popen[bytes], int]:
        program = _program()
        assert program is not None
        if os.geteuid() == 0:
            # Debian's sshd keeps its unprivileged half there, and its service makes the folder.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        for _ in range(ATTEMPTS):
            port = free_port()
            configuration = self.folder / "sshd_config"
            configuration.write_text(
                f"ListenAddress {self.address}\nPort {port}\nHostKey {self.folder / 'host'}\n"
                f"AuthorizedKeysFile {self.folder / 'user.pub'}\nStrictModes no\nPidFile none\nLogLevel VERBOSE\n"
                "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin yes\n"
                "MaxStartups 100\n"
            )
            process = subprocess.Popen(
                [program, "-D", "-E", str(self.log), "-f", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - no threads here
            )
            wait_until(
                lambda: process.poll() is not None or _listens(self.address, port),  # noqa: B023 - used at once
                awaited=f"sshd on port {port}",
                seconds=READY_SECONDS,
            )
            if process.poll() is None:
                return process, port
        raise AssertionError(f"sshd ended at once, {ATTEMPTS} times: {self._said()[-300:]}")


def _listens(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False
