"""What a host remembers of a look: its result for all that ask, or why there is none, raised afresh each time."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.environments import settings
from fixtures.environments.live import LiveHost
from fixtures.environments.settings import Environment, Secrets, SecretUnavailable
from fixtures.hosts import Target
from fixtures.observation.facts import Absent, Broken, HostFacts, Unobserved

ENVIRONMENT = Environment(kind="gateway", url="http://127.0.0.1:9", root="/srv")
HIDDEN = "a-secret-value"


class Failing(LiveHost):
    """A host whose look at the facts raises this."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__("shop", "local", ENVIRONMENT)
        self.reason = reason
        self.looks = 0

    def _look(self) -> HostFacts:
        self.looks += 1
        raise self.reason


@pytest.mark.parametrize(
    ("reason", "kind", "said"),
    [
        pytest.param(
            KeyError("x"), Broken, r"the look itself broke: KeyError: 'x' \(test_live.py:\d+\)", id="unexpected"
        ),
        pytest.param(Unobserved("no probe"), Unobserved, "no probe", id="unobserved"),
        pytest.param(Absent("no browser"), Absent, "no browser", id="absent"),
    ],
)
def test_why_a_look_failed_is_raised_afresh(reason: Exception, kind: type[Exception], said: str) -> None:
    """All that ask get the reason, of a length that does not grow with their number, from one look."""
    host = Failing(reason)
    raised = []
    for _ in range(50):
        with pytest.raises(kind, match=f"^{said}$") as caught:
            host.facts()
        raised.append(caught.value)
    assert host.looks == 1
    assert len({id(error) for error in raised}) == len(raised)
    lengths = {len(traceback.format_exception(error)) for error in raised[1:]}
    assert len(lengths) == 1
    assert all(error.__context__ is None and error.__cause__ is None for error in raised)


def test_an_interrupted_look_ends_for_all_that_wait_for_it() -> None:
    """An interrupt reaches who looks; who waits for the same look is not left waiting."""
    host = Failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        host.facts()
    with pytest.raises(Unobserved, match="it was interrupted"):
        host.facts()


def test_a_secret_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used is what is redacted: the first value stays, and so does that there is none. No repr shows it."""
    kept, missing = tmp_path / "kept", tmp_path / "missing"
    kept.write_text(HIDDEN, encoding="utf-8")
    asked: list[str] = []
    look_up = settings.secret

    def counted(reference: str) -> str:
        asked.append(reference)
        return look_up(reference)

    monkeypatch.setattr(settings, "secret", counted)
    secrets = Secrets()
    assert secrets.value(f"file:{kept}") == HIDDEN
    with pytest.raises(SecretUnavailable, match="cannot be read"):
        secrets.value(f"file:{missing}")
    kept.write_text("another", encoding="utf-8")
    missing.write_text("now there", encoding="utf-8")
    assert secrets.value(f"file:{kept}") == HIDDEN
    with pytest.raises(SecretUnavailable, match="cannot be read"):
        secrets.value(f"file:{missing}")
    assert asked == [f"file:{kept}", f"file:{missing}"]
    assert HIDDEN not in repr(secrets)


def test_a_target_redacts_what_its_hosts_use(tmp_path: Path) -> None:
    """The target's secrets are those that its hosts were opened with, also after their file has changed."""
    file = tmp_path / "redis-url"
    file.write_text(f"redis://:{HIDDEN}@127.0.0.1:9/0", encoding="utf-8")
    environment = ENVIRONMENT.model_copy(update={"redis_url": f"file:{file}"})
    target = Target("shop", environment, kind="gateway", intrusive=False)
    assert HIDDEN in target.secrets()
    file.write_text("redis://127.0.0.1:9/0", encoding="utf-8")
    assert HIDDEN in target.secrets()


@pytest.fixture(name="no_threads")
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The system starts no thread any more."""

    def refused(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        yield


@pytest.mark.usefixtures("no_threads")
def test_a_host_is_given_out_where_no_thread_can_be_started() -> None:
    """Without threads nothing is begun ahead, no host is waited for, and who asks looks."""
    target = Target("shop", ENVIRONMENT, kind="gateway", intrusive=False)
    host = target.host("shop")
    assert host.facts().application is None
    target.close()
