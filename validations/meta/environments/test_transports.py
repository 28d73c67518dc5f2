"""Ways to a host: a real sshd on loopback with keys of its own; docker and kubectl by programs that record.

No container engine runs here: that the command lines for them carry our program on standard input is shown by
executables of their names that write down how they were called, and run the command here.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from fixtures.environments.settings import Environment
from fixtures.environments.transports import Away, Here, Ran, Unreachable, Way, command_line, way_to
from fixtures.observation.cancellation import Cancellation
from fixtures.observation.facts import Unobserved
from fixtures.options import lack
from fixtures.processes import wait_until
from validations.meta.environments import sshd
from validations.meta.environments.sshd import Sshd

WAIT_SECONDS = 30.0
ECHO = [sys.executable, "-c", "import sys; print('heard', len(sys.stdin.buffer.read()), sys.argv[1:])"]


@pytest.fixture(name="server")
def _server(pytestconfig: pytest.Config, open_folder: Path) -> Iterator[Sshd]:
    if reason := sshd.lacking():
        lack(pytestconfig, "ssh", reason)
    server = Sshd(open_folder / "sshd")
    with contextlib.closing(server):
        yield server


@pytest.fixture(name="cancellation")
def _cancellation() -> Cancellation:
    return Cancellation()


@pytest.fixture(name="away")
def _away(server: Sshd, cancellation: Cancellation) -> Iterator[Way]:
    with contextlib.closing(way_to(server.url, cancellation)) as way:
        yield way


def _running(word: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if word in process.cmdline():
                found.append(process.pid)
    return found


def test_a_program_is_streamed_and_nothing_is_left(server: Sshd, away: Way) -> None:
    """What is sent arrives whole, words stay words, and many commands share one connection."""
    words = ["a b", "it's", '"q"', "$HOME", "%s", "é"]
    for size in (0, 10, 300_000):
        ran = away.run([*ECHO, *words], sent=b"x" * size, seconds=WAIT_SECONDS)
        assert (ran.code, ran.out.decode().strip()) == (0, f"heard {size} {words}"), ran.err
    assert (server.connections, server.commands) == (1, 3)


def test_closing_a_way_ends_its_connection(server: Sshd, cancellation: Cancellation) -> None:
    """After `close()` neither the shared connection nor its socket is left on this machine."""
    way = Away(server.url, cancellation)
    way.run(["true"], sent=b"", seconds=WAIT_SECONDS)
    folder = way._folder  # noqa: SLF001 - what must be gone
    assert list(folder.iterdir())
    way.close()
    assert not folder.exists()
    wait_until(lambda: len(server.processes()) == 1, awaited="the end of the server's side of it", seconds=WAIT_SECONDS)


@pytest.mark.parametrize("place", ["here", "away"])
def test_a_deadline_ends_the_command(place: str, request: pytest.FixtureRequest, cancellation: Cancellation) -> None:
    """A command that does not end is cut at its deadline, and what it said until then is told."""
    way = Here(cancellation) if place == "here" else request.getfixturevalue("away")
    ran = way.run(["sh", "-c", "echo begun; exec sleep 600.25"], sent=b"", seconds=3)
    assert (ran.code, ran.out) == (None, b"begun\n")


def test_a_probe_ends_when_nobody_waits_for_it(away: Way, cancellation: Cancellation) -> None:
    """With a lifeline, a command on the host sees that we are gone, whatever it was doing."""
    code = "import os, sys, threading\nprint('up', flush=True)\nsys.stdin.buffer.read(); os._exit(0)"
    mark = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    done: list[object] = []

    def run() -> None:
        try:
            done.append(away.run([sys.executable, "-c", code, mark], sent=b"", seconds=WAIT_SECONDS, lifeline=True))
        except Unobserved as reason:
            done.append(reason)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: bool(_running(mark)), awaited="the command on the host", seconds=WAIT_SECONDS)
    cancellation.cancel()
    thread.join(WAIT_SECONDS)
    assert [str(one) for one in done] == ["the run was ended"]
    wait_until(lambda: not _running(mark), awaited="its end on the host", seconds=WAIT_SECONDS)


def test_a_host_that_is_not_there_is_unreachable(server: Sshd, cancellation: Cancellation) -> None:
    """A refused connection is one line that names the host, and no wait."""
    server.close()
    with contextlib.closing(way_to(server.url, cancellation)) as way, pytest.raises(Unreachable, match="refused"):
        way.run(["true"], sent=b"", seconds=WAIT_SECONDS)


def test_a_stopped_host_is_unreachable_in_time(server: Sshd, away: Way) -> None:
    """A host that takes connections and never answers costs its deadline, whether ssh was connected or not."""
    away.run(["true"], sent=b"", seconds=WAIT_SECONDS)
    server.stop()
    started = time.monotonic()
    with pytest.raises(Unreachable, match="said nothing within 2 s"):
        away.run(["true"], sent=b"", seconds=2)
    assert time.monotonic() - started < WAIT_SECONDS


def test_a_wrong_key_is_unreachable_and_asks_nothing(server: Sshd, cancellation: Cancellation) -> None:
    """Where ssh would ask for a password, it fails instead."""
    (server.folder / "user.pub").write_text("")
    with contextlib.closing(way_to(server.url, cancellation)) as way, pytest.raises(Unreachable, match="denied"):
        way.run(["true"], sent=b"", seconds=WAIT_SECONDS)


def test_a_host_that_never_stops_talking_is_not_listened_to(
    cancellation: Cancellation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endless answer is cut, and is no answer."""
    monkeypatch.setattr("fixtures.environments.transports.MOST_BYTES", 1 << 20)
    with pytest.raises(Unobserved, match="said more than 1 MiB"):
        Here(cancellation).run(["yes"], sent=b"", seconds=WAIT_SECONDS)


def test_a_program_that_is_not_there(cancellation: Cancellation) -> None:
    """A missing program is exit code 127 with its name, here as over ssh."""
    ran = Here(cancellation).run(["no-such-program"], sent=b"", seconds=WAIT_SECONDS)
    assert (ran.code, ran.last_word) == (127, "no-such-program: No such file or directory")


# A `#!` line takes no blank in its interpreter's path: this runs as a shell script, and then as Python.
RECORDER = """#!/bin/sh
'''exec' '{python}' "$0" "$@" #'''
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv) + "\\n")
if {fails!r}:
    sys.stderr.write({fails!r} + "\\n")
    sys.exit(1)
if "-i" not in sys.argv:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.execv("/bin/sh", ["/bin/sh", "-c", sys.argv[-1]])
"""


@pytest.fixture(name="recorder")
def _recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[], list[list[str]]]]:
    """Put an executable of that name first on PATH: it records how it is called and runs the last word here."""

    def put(name: str, fails: str = "") -> Callable[[], list[list[str]]]:
        log = tmp_path / f"{name}.log"
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(RECORDER.format(python=sys.executable, log=str(log), fails=fails))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        return lambda: [json.loads(line)[1:] for line in log.read_text(encoding="utf-8").splitlines()]

    return put


@pytest.mark.parametrize(
    ("host", "before"),
    [
        pytest.param("docker://web", ["exec", "-i", "web"], id="docker"),
        pytest.param("docker://app@web", ["exec", "-i", "-u", "app", "web"], id="docker-user"),
        pytest.param("podman://app@Web", ["exec", "-i", "-u", "app", "Web"], id="podman"),
        pytest.param("kubectl://pod-1", ["exec", "-i", "pod-1", "--"], id="kubectl"),
        pytest.param(
            "kubectl://pod-1?namespace=shop&container=php&context=blue",
            ["exec", "-i", "--context=blue", "--namespace=shop", "--container=php", "pod-1", "--"],
            id="kubectl-options",
        ),
    ],
)
def test_containers_and_pods_get_the_program_on_standard_input(
    host: str, before: list[str], recorder: Callable[..., Callable[[], list[list[str]]]], cancellation: Cancellation
) -> None:
    """What is sent arrives on standard input, words stay words, and one command is one call."""
    calls = recorder(host.partition(":")[0])
    with contextlib.closing(way_to(host, cancellation)) as way:
        ran = way.run([*ECHO, "a b", "$HOME"], sent=b"x" * 70_000, seconds=WAIT_SECONDS)
    assert (ran.code, ran.out.decode().strip()) == (0, "heard 70000 ['a b', '$HOME']"), ran.err
    (call,) = calls()
    assert call[:-3] == before
    assert call[-3:-1] == ["/bin/sh", "-c"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param("ssh://Web-1", ["--", "Web-1", "id -u"], id="plain"),
        pytest.param("ssh://a%40b@[::1]:2222", ["-o", "User=a@b", "-o", "Port=2222"], id="user-and-port"),
        pytest.param("ssh://[::1]:2222", ["--", "::1", "id -u"], id="ipv6"),
        pytest.param("ssh://w?timeout=3", ["-o", "ConnectTimeout=3"], id="timeout"),
        pytest.param("ssh://w?ssh_config=/c&ssh_identity_file=/k", ["-F", "/c", "-i", "/k"], id="files"),
        pytest.param("ssh://w?sudo=true", ["--", "w", "sudo /bin/sh -c 'id -u'"], id="sudo"),
        pytest.param("ssh://w?sudo=true&sudo_user=app", ["--", "w", "sudo -u app /bin/sh -c 'id -u'"], id="sudo-user"),
    ],
)
def test_an_ssh_command_line_carries_every_option(host: str, expected: list[str], tmp_path: Path) -> None:
    """Each option of an ssh host stands in its command line, and the host's name can be no option."""
    line = command_line(host, ["id", "-u"], socket=tmp_path / "s")
    assert " ".join(expected) in " ".join(line)
    assert line[-3] == "--"


@pytest.mark.parametrize(
    ("host", "said"),
    [
        pytest.param("docker://web", "Error response from daemon: No such container: web", id="no-container"),
        pytest.param(
            "docker://web", "Cannot connect to the Docker daemon at unix:///run/docker.sock.", id="no-docker-daemon"
        ),
        pytest.param(
            "podman://web", 'Error: no container with name or ID "web" found: no such container', id="no-podman"
        ),
        pytest.param(
            "podman://web",
            "Error: can only create exec sessions on running containers: container state improper",
            id="podman-stopped",
        ),
        pytest.param("kubectl://pod-1", 'Error from server (NotFound): pods "pod-1" not found', id="no-pod"),
        pytest.param("kubectl://pod-1", "The connection to the server localhost:8080 was refused", id="no-cluster"),
    ],
)
def test_a_container_that_is_not_there_is_unreachable(
    host: str, said: str, recorder: Callable[..., Callable[[], list[list[str]]]], cancellation: Cancellation
) -> None:
    """Where docker or kubectl fail themselves, the host is unreachable, in their own words."""
    recorder(host.partition(":")[0], fails=said)
    with contextlib.closing(way_to(host, cancellation)) as way, pytest.raises(Unreachable) as told:
        way.run(["true"], sent=b"", seconds=WAIT_SECONDS)
    assert str(told.value) == f"{host} cannot be reached: {said}"


def test_without_its_program_a_host_is_unreachable(
    cancellation: Cancellation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this machine has no ssh, the reason says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with contextlib.closing(way_to("ssh://web-1", cancellation)) as way, pytest.raises(Unreachable) as told:
        way.run(["true"], sent=b"", seconds=WAIT_SECONDS)
    assert str(told.value) == "ssh://web-1 cannot be reached: there is no `ssh` on this machine"


@pytest.mark.parametrize(
    ("hosts", "ids"),
    [
        pytest.param(["local"], ["shop"], id="local"),
        pytest.param(["ssh://deploy@web-1", "ssh://web-2:2222"], ["web-1", "web-2-2222"], id="ssh"),
        pytest.param(["ssh://a@web-1", "ssh://b@web-1"], ["ssh-a-web-1", "ssh-b-web-1"], id="same-machine"),
        pytest.param(["docker://web-1", "ssh://web-1"], ["docker-web-1", "ssh-web-1"], id="same-name"),
        pytest.param(["ssh://[::1]:2222?sudo=true"], ["1-2222"], id="ipv6"),
    ],
)
def test_hosts_have_short_names_that_keep_them_apart(hosts: list[str], ids: list[str]) -> None:
    """A host is named by what tells it from the others, in characters that tests' ids and reports take."""
    environment = Environment(kind="gateway", url="http://shop.test", root="/srv", hosts=tuple(hosts))
    assert list(environment.host_ids("shop")) == ids


def test_what_ran_says_its_last_word() -> None:
    """The last line of what a command complained of, else of what it said."""
    assert Ran([], 1, b"out\nlast\n", b" \n", 0.0).last_word == "last"
    assert Ran([], 1, b"out\n", b"one\ntwo\n", 0.0).last_word == "two"
    assert Ran([], 1, b"", b"", 0.0).last_word == ""
