"""A rebuild's lock is seen in a real Redis as it is: taken, expiring, given back, stolen, or never there.

The rebuilds are child processes of a few lines; each holds its lock until it has seen that its watcher came by.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import redis

from fixtures.environments.redis_server import RedisServer, start
from fixtures.observation import lock_store as locks
from fixtures.observation.facts import LockStore as SaidStore
from fixtures.observation.facts import Unobserved
from fixtures.observation.lock_store import LockObservation, connected, look_at_store, watch_rebuilds
from fixtures.processes import end, free_port
from reports.records import Verdict
from validations.gate.test_5_locks import Evidence, judge

KEY = "viewgate:lock:rebuild"
# Reads of the key so far, by anyone: the rebuild goes on once its watcher has looked again.
PRELUDE = """
import sys, time, uuid, redis
r = redis.Redis.from_url(sys.argv[1])
key, owner = sys.argv[2], uuid.uuid4().hex

def reads():
    return int(r.info("commandstats").get("cmdstat_pttl", {}).get("calls", 0))

def watched(times=20):
    seen, ends = reads(), time.monotonic() + 20
    while reads() < seen + times:
        if time.monotonic() > ends:
            sys.exit("nobody watched the lock within 20 s")

RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
"""
GOOD = """
assert r.set(key, owner, nx=True, px=30000)
watched()
sys.exit(0 if r.eval(RELEASE, 1, key, owner) else "the lock was lost")
"""
NO_EXPIRY = """
r.set(key, owner)
watched()
sys.exit(0 if r.eval(RELEASE, 1, key, owner) else "the lock was lost")
"""
DELETES_BY_NAME = """
r.set(key, owner, px=30000)
watched()
r.delete(key)
"""
DOES_NOT_NOTICE = """
r.set(key, owner, px=30000)
watched()
r.eval(RELEASE, 1, key, owner)
"""
FIXED_OWNER = GOOD.replace("assert", "owner = 'rebuild-host-1'\nassert")
NEVER_LOCKS = "watched()\n"
KEEPS_IT = "r.set(key, owner, px=30000)\nwatched()\n"
# As a rebuild that the disk refuses: it tries again, and waits for the lock as often as somebody else has it.
FAILS_AGAIN_AND_AGAIN = """
r.incr("started")
for _ in range(3):
    ends = time.monotonic() + 60
    while not r.set(key, owner, nx=True, px=30000):
        if time.monotonic() > ends:
            sys.exit("somebody else has the lock")
        time.sleep(0.01)
    watched()
    r.eval(RELEASE, 1, key, owner)
sys.exit("disk full")
"""
HANGS = "r.set(key, owner, px=30000)\ntime.sleep(600)\n"
HANGS_WITH_HELPER = """
import subprocess
helper = subprocess.Popen(["sleep", "60"])
r.set("helper", helper.pid)
r.set(key, owner, px=30000)
time.sleep(600)
"""
# Robbed, it waits for its lock as if it had never had it.
WAITS = """
while not r.set(key, owner, nx=True, px=30000):
    time.sleep(0.01)
watched()
while r.incr("looked") > 1 and r.get(key) != owner:
    time.sleep(0.01)
r.eval(RELEASE, 1, key, owner)
"""
SLOW = """
assert r.set(key, owner, nx=True, px=30000)
time.sleep(1)
sys.exit(0 if r.eval(RELEASE, 1, key, owner) else "the lock was lost")
"""
# Gives the lock back and takes it again as fast as it can: who looks and grips may find it gone in between.
FLICKERS = """
ends = time.monotonic() + 1.0
while time.monotonic() < ends:
    owner = uuid.uuid4().hex
    if not r.set(key, owner, nx=True, px=30000):
        sys.exit("the lock was lost")
    if not r.eval(RELEASE, 1, key, owner):
        sys.exit("the lock was lost")
"""
Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = start(tmp_path_factory.mktemp("redis"))
    yield server
    end(server.process)


@pytest.fixture(name="client")
def _client(server: RedisServer) -> Iterator[redis.Redis]:
    """A client of the server, emptied."""
    with connected(server.url) as client:
        client.flushall()
        yield client


def rebuild(server: RedisServer, code: str) -> Start:
    """Return what starts a rebuild of this code. The URL of a throw-away server may be an argument."""

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", PRELUDE + code, server.url, KEY], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    return begin


def watch(server: RedisServer, code: str) -> LockObservation:
    """Watch two rebuilds of this code."""
    return watch_rebuilds(server.url, KEY, rebuild(server, code))


def verdicts(seen: LockObservation, server: RedisServer) -> dict[str, Verdict]:
    """Judge what was seen, as validation 5 does."""
    said = SaidStore(store="redis", url="redis://h/0", rebuild_key=KEY, ttl_seconds=30.0)
    evidence = Evidence(said, look_at_store(server.url), seen)
    return {part: judge(evidence, part).verdict for part in ("reachable", "eviction", "taken", "expires", "owned")}


PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN


@pytest.mark.usefixtures("client")
def test_a_good_rebuild_is_seen_to_lock_and_to_give_back_its_own(server: RedisServer) -> None:
    """A fresh owner each time, an expiry, nothing left; robbed, it leaves the thief's lock alone and fails."""
    seen = watch(server, GOOD)
    assert seen.alone.exit_code == 0
    assert seen.alone.value_after is None
    assert seen.robbed is not None
    assert len(seen.alone.owners) == len(seen.robbed.owners) == 1
    assert seen.alone.owners != seen.robbed.owners
    assert all(0 < ttl <= 30_000 for ttl in (*seen.alone.ttls_ms, *seen.robbed.ttls_ms))
    assert seen.robbed.value_after == seen.intruder
    assert seen.robbed.exit_code == 1
    assert seen.robbed.said == "the lock was lost"
    assert set(verdicts(seen, server).values()) == {PASS}


def test_nothing_of_the_watching_is_left_in_redis(server: RedisServer, client: redis.Redis) -> None:
    """The intruder's own lock goes with the watching."""
    watch(server, GOOD)
    assert client.get(KEY) is None


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("code", "red"),
    [
        pytest.param(NO_EXPIRY, {"expires": FAIL}, id="no-expiry"),
        pytest.param(DELETES_BY_NAME, {"owned": FAIL}, id="deletes-by-name"),
        pytest.param(DOES_NOT_NOTICE, {"owned": FAIL}, id="does-not-notice"),
        pytest.param(FIXED_OWNER, {"owned": FAIL}, id="fixed-owner"),
        pytest.param(NEVER_LOCKS, {"taken": FAIL, "expires": UNKNOWN, "owned": UNKNOWN}, id="never-locks"),
    ],
)
def test_a_bad_rebuild_is_seen_for_what_it_does(server: RedisServer, code: str, red: dict[str, Verdict]) -> None:
    """What a rebuild really does with its lock turns just the parts red that it breaks."""
    judged = verdicts(watch(server, code), server)
    assert {part: verdict for part, verdict in judged.items() if verdict is not PASS} == red


def test_a_rebuild_that_fails_alone_is_not_robbed(server: RedisServer, client: redis.Redis) -> None:
    """A rebuild that fails is told as one, its lock's expiry as it was seen, and none is kept waiting for its lock."""
    seen = watch(server, FAILS_AGAIN_AND_AGAIN)
    assert (seen.alone.exit_code, seen.alone.said, seen.robbed) == (1, "disk full", None)
    assert client.get("started") == "1"
    assert client.get(KEY) is None
    judged = verdicts(seen, server)
    assert (judged["taken"], judged["expires"], judged["owned"]) == (FAIL, PASS, UNKNOWN)


@pytest.mark.usefixtures("client")
def test_a_lock_that_is_not_given_back_is_seen(server: RedisServer) -> None:
    """A rebuild that ends and keeps its lock is red; the second one then finds it taken."""
    seen = watch(server, KEEPS_IT)
    assert seen.alone.value_after == seen.alone.owners[0]
    assert verdicts(seen, server)["taken"] is FAIL


def test_a_rebuild_that_waits_for_its_lock_is_not_judged(
    server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not know that it was robbed is ended and another one robbed; after three nothing is made up."""
    monkeypatch.setattr(locks, "WAITS_SECONDS", 0.2)
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        started.append(rebuild(server, WAITS)())
        return started[-1]

    with pytest.raises(Unobserved, match="3 times a rebuild whose lock was taken over waited for it"):
        watch_rebuilds(server.url, KEY, begin)
    assert [process.poll() for process in started] == [0, -9, -9, -9]
    assert client.get(KEY) is None


@pytest.mark.usefixtures("client")
def test_a_slow_rebuild_is_not_taken_for_one_that_waits(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one that was left alone took long, on a busy machine, so may one that was robbed."""
    monkeypatch.setattr(locks, "WAITS_SECONDS", 0.01)
    seen = watch(server, SLOW)
    assert seen.robbed is not None
    assert (seen.robbed.exit_code, seen.robbed.said) == (1, "the lock was lost")


@pytest.mark.parametrize("code", [HANGS, HANGS_WITH_HELPER], ids=["alone", "with-a-helper"])
def test_a_rebuild_that_hangs_is_ended(
    server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """At the deadline the rebuild is killed and nothing is made up, also where a helper keeps its output open."""
    monkeypatch.setattr(locks, "REBUILD_SECONDS", 2.0)
    monkeypatch.setattr(locks, "_OUTPUT_SECONDS", 0.5)
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        started.append(rebuild(server, code)())
        return started[-1]

    with pytest.raises(Unobserved, match="the rebuild did not end within 2 s"):
        watch_rebuilds(server.url, KEY, begin)
    assert [process.poll() for process in started] == [-9]
    helper = client.get("helper")
    if helper is not None:
        subprocess.run(["kill", "-9", str(helper)], check=True, timeout=10)


@pytest.mark.usefixtures("client")
def test_a_lock_that_was_gone_before_it_was_taken_over_is_not_called_stolen(server: RedisServer) -> None:
    """However fast a lock comes and goes, a rebuild that never deletes another's is not seen to do so."""
    seen = watch(server, FLICKERS)
    assert seen.robbed is not None
    if seen.robbed.owners:
        assert seen.robbed.value_after == seen.intruder
        assert seen.robbed.exit_code == 1
    else:
        assert verdicts(seen, server)["owned"] is UNKNOWN


def test_the_store_says_what_it_is(server: RedisServer, client: redis.Redis) -> None:
    """Version, policy and memory limit are those of the server."""
    seen = look_at_store(server.url)
    assert seen.version[0].isdigit()
    assert (seen.policy, seen.maxmemory) == ("noeviction", 0)
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        seen = look_at_store(server.url)
        assert seen.policy == "allkeys-lru"
        assert judge(Evidence(Unobserved(""), seen, None), "eviction").verdict is FAIL
    finally:
        client.config_set("maxmemory-policy", "noeviction")


def test_a_store_out_of_reach_is_not_observed() -> None:
    """Where nobody listens, the reason is one line."""
    with pytest.raises(Unobserved, match=r"^Redis could not be asked: .*refused"):
        look_at_store(f"redis://127.0.0.1:{free_port()}/0")


def test_a_wrong_password_is_not_repeated(server: RedisServer) -> None:
    """A refused password is told as that, and not shown."""
    with pytest.raises(Unobserved, match="Redis could not be asked: ") as caught:
        look_at_store(server.url.replace(server.password, "s3cr3t"))
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["redis://:pa/s3cr3t@h:6379/0", "s3cr3t", "http://:s3cr3t@h/", "redis://:s3cr3t@h:port/0"],
    ids=["slash-in-password", "no-url", "another-scheme", "port-in-words"],
)
def test_a_url_that_is_none_is_not_repeated(url: str) -> None:
    """A malformed URL may hold a password in any place: it is not shown."""
    with pytest.raises(Unobserved, match="Redis could not be asked: ") as caught:
        look_at_store(url)
    assert "s3cr3t" not in str(caught.value)
    assert "pa/" not in str(caught.value)


def test_a_key_that_is_no_lock_is_not_observed(server: RedisServer, client: redis.Redis) -> None:
    """A key of another type cannot be read as a lock, and that is the reason."""
    client.hset(KEY, "owner", "x")
    with pytest.raises(Unobserved, match="WRONGTYPE"):
        watch(server, "time.sleep(600)\n")
