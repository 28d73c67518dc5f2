"""Whole runs of the gate on many hosts: looked at side by side, each once, and judged alike with workers and without.

The hosts are stand-ins that answer over a fake `ssh` with what a real probe of a real stage answered, or with a
defect in it. The page is the stage's own.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from fixtures.environments.__main__ import as_toml
from fixtures.environments.live import LiveHost
from fixtures.environments.settings import Budget, Environment, Objectives
from fixtures.environments.stage import Stage
from validations.gate_runs import Runs
from validations.meta.stand_ins import Said, StandIns

VIEWS = 66
DEADLINE_SECONDS = 60.0
Answers = Mapping[str, Any]


class Shop:
    """A stage whose page is asked for, stand-ins for its hosts, and runs of the gate on them."""

    def __init__(self, folder: Path, environment: Environment, answer: dict[str, Any]) -> None:
        self.runs = Runs(folder)
        self.stand_ins = StandIns(folder)
        self.environment = environment
        self._answer = answer

    def describe(self, *hosts: str, **changes: Any) -> None:
        """Write environments.toml with these hosts."""
        environment = self.environment.model_copy(
            update={"hosts": tuple(f"ssh://{host}" for host in hosts), "production": True} | changes
        )
        (self.runs.folder / "environments.toml").write_text(as_toml("shop", environment), encoding="utf-8")

    def answers(self, **sections: Any) -> Said:
        """Return what a probe says: all is well, but for these sections; None: not observed."""
        unobserved = {name: "the probe could not look" for name, section in sections.items() if section is None}
        return Said(json.dumps(self._answer | sections | {"unobserved": unobserved}).encode())

    def section(self, name: str, **changes: Any) -> Any:
        """Return a section of the good answer with these changes."""
        return self._answer[name] | changes

    def gate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the gate on the hosts from no report and no count."""
        self.runs.forget()
        self.stand_ins.forget()
        return self.runs.gate(
            *("--environment", "shop", *arguments),
            PYTHONPATH=str(self.runs.folder),
            **self.stand_ins.environment(),
        )

    def plugin(self, name: str, text: str) -> None:
        """Write a plugin of pytest that runs may load with `-p`."""
        (self.runs.folder / f"{name}.py").write_text(text, encoding="utf-8")

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind of the last run."""
        lines = (self.runs.reports / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def outcomes(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Return what came out of each part, without what differs from run to run: when, and how long it took."""
        found = {}
        for event in self.events("part"):
            outcome = {name: value for name, value in event["outcome"].items() if name not in ("seconds", "started")}
            finding = outcome["finding"]
            outcome["finding"] = {name: finding[name] for name in finding if name not in ("samples", "figures")}
            found[outcome["check"], outcome["host"], outcome["part"]] = outcome
        return found

    def agreement(self) -> dict[str, str]:
        """Return the verdict of the objective `agreement` by host, where it came out."""
        return {
            host: outcome["finding"]["verdict"]
            for (check, host, _), outcome in self.outcomes().items()
            if check == "agreement"
        }


@pytest.fixture(scope="module", name="running")
def _running(open_module_folder: Path) -> Iterator[Shop]:
    stage = Stage(views=VIEWS, workers=1)
    with contextlib.ExitStack() as closing:
        closing.callback(stage.down)
        environment = stage.up()
        with contextlib.closing(LiveHost("shop", "local", environment)) as host:
            answer = host.facts().model_dump(mode="json")
        page = environment.page.model_copy(update={"requests": 8})
        environment = environment.model_copy(
            update={
                "page": page,
                "objectives": Objectives(compiled_views=VIEWS),
                "budget": Budget(requests=100, seconds=50),
            }
        )
        shop = Shop(open_module_folder, environment, answer)
        closing.callback(shop.stand_ins.close)
        yield shop


@pytest.fixture(name="shop")
def _shop(running: Shop) -> Shop:
    """The shop with hosts that are well, and nothing to wait for."""
    running.stand_ins.answers = dict.fromkeys(["web-1", "web-2", "web-3", "web-4", "web-5", "web-6"], running.answers())
    running.stand_ins.before = lambda _host: None
    return running


def together(hosts: int) -> Callable[[str], None]:
    """Return what keeps every probe from its answer until so many run at once, or fails it at the deadline."""
    barrier = threading.Barrier(hosts)

    def wait(_host: str) -> None:
        barrier.wait(DEADLINE_SECONDS)

    return wait


@pytest.mark.parametrize("arguments", [pytest.param([], id="alone"), pytest.param(["-n", "3"], id="three-workers")])
def test_all_hosts_are_looked_at_side_by_side(shop: Shop, arguments: list[str]) -> None:
    """No probe of six answers before all six run: alone and with workers each begins with all of its hosts at once."""
    hosts = [f"web-{number}" for number in range(1, 7)]
    shop.describe(*hosts)
    shop.stand_ins.before = together(len(hosts))
    done = shop.gate("-k", "registered", *arguments)
    assert {outcome["finding"]["verdict"] for outcome in shop.outcomes().values()} == {"pass"}, (
        done.stdout + done.stderr
    )
    assert shop.stand_ins.calls == dict.fromkeys(hosts, 1)
    assert shop.stand_ins.most_at_once == len(hosts)


@pytest.mark.parametrize("arguments", [pytest.param([], id="alone"), pytest.param(["-n", "2"], id="two-workers")])
def test_hosts_at_once_are_bounded(shop: Shop, arguments: list[str]) -> None:
    """With `--hosts-at-once 2` all workers together look at two of six hosts at a time, and at all in the end."""
    hosts = [f"web-{number}" for number in range(1, 7)]
    shop.describe(*hosts)
    shop.stand_ins.before = together(2)
    done = shop.gate("-k", "registered", "--hosts-at-once", "2", *arguments)
    assert {outcome["finding"]["verdict"] for outcome in shop.outcomes().values()} == {"pass"}, (
        done.stdout + done.stderr
    )
    assert shop.stand_ins.calls == dict.fromkeys(hosts, 1)
    assert shop.stand_ins.most_at_once == 2


@dataclass(frozen=True)
class Bad:
    """A bad environment: how it ends, how its hosts answer, what its description changes, and how it is run."""

    code: int
    agreement: set[str]
    answers: Callable[[Shop], Mapping[str, Said]] = lambda _shop: {}
    changes: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()


def second(section: str, **changes: Any) -> Callable[[Shop], Mapping[str, Said]]:
    """Return what makes the second host answer with changes in a section."""
    return lambda shop: {"web-2": shop.answers(**{section: shop.section(section, **changes)})}


GONE = Said(b"ssh: connect to host web-2 port 22: Connection refused\n", 255)
BAD = {
    "none": Bad(0, {"pass"}),
    "host-refuses": Bad(6, {"unknown"}, lambda _shop: {"web-2": GONE}),
    "host-answers-nonsense": Bad(6, {"unknown"}, lambda _shop: {"web-2": Said(b"<html>")}),
    "does-not-boot": Bad(6, {"unknown"}, lambda shop: {"web-2": shop.answers(application=None, middleware=None)}),
    "release-differs": Bad(1, {"fail"}, second("application", release="20200101")),
    "views-differ": Bad(1, {"fail"}, second("compiled", digest="ab" * 32)),
    "view-missing": Bad(1, {"pass"}, second("compiled", intact=VIEWS - 1, missing=["a.html"])),
    "script-not-executable": Bad(1, {"pass"}, second("script", executable=False)),
    "page-down": Bad(1, {"pass"}, changes={"url": "http://127.0.0.1:1"}),
    "secret-unset": Bad(1, {"pass"}, changes={"redis_url": "env:VIEWGATE_TEST_NOT_SET"}),
    "check-left-out": Bad(1, set(), arguments=("-k", "not agreement")),
    "host-left-out": Bad(1, {"unknown"}, arguments=("-k", "not web-2")),
}
# A check whose examination raises what it should not.
BREAKS = """
import pytest

def broken(host):
    raise KeyError("tier")

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.module.__name__.endswith("test_8_disclosure"):
            item.module.examine = broken
"""
# Every look-up of a secret is a line of the process that made it.
COUNTS = """
import os
import pytest

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    from fixtures.environments import settings
    look_up = settings.secret

    def counted(reference):
        with open("looked-up", "a") as file:
            file.write(f"{os.getpid()} {reference}\\n")
        return look_up(reference)

    settings.secret = counted
"""


def run(shop: Shop, bad: Bad, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the gate on a bad environment of two hosts: how it ended, and all that has to be the same with workers."""
    shop.describe("web-1", "web-2", **bad.changes)
    shop.stand_ins.answers |= bad.answers(shop)
    done = shop.gate(*bad.arguments, *arguments)
    (ended,) = shop.events("run-ended")
    came = {host for _, host, _ in shop.outcomes()}
    return done, {
        "exit": done.returncode,
        "ended": {name: ended[name] for name in ("verdict", "reason", "trouble", "exit", "others_failed")},
        "outcomes": shop.outcomes(),
        "others": shop.events("other"),
        "junit": shop.runs.verdicts(),
        # One that `-k` leaves out is looked at all the same where no worker shares the hosts out.
        "probes": {host: times for host, times in shop.stand_ins.calls.items() if host in came},
    }


def alike(shop: Shop, bad: Bad) -> dict[str, Any]:
    """Compare a run with workers to one without, and return what came out of both."""
    done, alone = run(shop, bad)
    assert done.returncode == bad.code, done.stdout + done.stderr
    done, shared = run(shop, bad, "-n", "2")
    assert shared == alone, done.stdout + done.stderr
    assert max(alone["probes"].values()) == 1
    return alone


def test_a_run_is_the_same_with_workers_and_without(shop: Shop) -> None:
    """All that comes out of a red run is the same, each host is probed once, each secret looked up once a process.

    A check that breaks is unknown in all its parts by one message that names the line, and keeps one traceback.
    """
    shop.plugin("breaks", BREAKS)
    shop.plugin("counts", COUNTS)
    log = shop.runs.folder / "looked-up"
    log.unlink(missing_ok=True)
    differs = BAD["release-differs"]
    outcomes = alike(shop, replace(differs, arguments=("-p", "breaks", "-p", "counts")))["outcomes"]
    assert [outcomes["agreement", host, "objective"]["finding"]["verdict"] for host in ("web-1", "web-2")] == [
        "fail",
        "fail",
    ]
    broken = [outcome for (check, _, _), outcome in outcomes.items() if check == "disclosure"]
    assert Counter(outcome["finding"]["verdict"] for outcome in broken) == {"unknown": 2 * 126}
    assert {outcome["finding"]["observed"] for outcome in broken} == {
        "the check itself broke: KeyError: 'tier' (breaks.py:5)"
    }
    kept = [path for outcome in broken for path in outcome["attachments"]]
    assert len(kept) == 2
    assert all("KeyError" in (shop.runs.reports / path).read_text(encoding="utf-8") for path in kept)
    looked_up = Counter(log.read_text(encoding="utf-8").splitlines())
    assert set(looked_up.values()) == {1}
    assert {line.split(" ", 1)[1] for line in looked_up} == set(shop.environment.secrets)
    # One process alone, then the controller and two workers.
    assert len({line.split(" ", 1)[0] for line in looked_up}) == 4


@pytest.mark.profile("ci")
@pytest.mark.parametrize("name", BAD)
def test_every_bad_environment_is_the_same_with_workers_and_without(shop: Shop, name: str) -> None:
    """Whatever is wrong, a run with two workers says it in the same outcomes, with the same verdict and exit code."""
    outcomes = alike(shop, BAD[name])["outcomes"]
    verdicts = {outcome["finding"]["verdict"] for (check, _, _), outcome in outcomes.items() if check == "agreement"}
    assert verdicts == BAD[name].agreement


@pytest.mark.parametrize("arguments", [pytest.param([], id="alone"), pytest.param(["-n", "2"], id="two-workers")])
def test_hosts_that_come_to_agree_are_waited_for(shop: Shop, arguments: list[str]) -> None:
    """With `--wait` hosts that differ are looked at until they agree and that is confirmed, each look recorded."""
    late = BAD["views-differ"].answers(shop)["web-2"]
    shop.describe("web-1", "web-2")

    def deployed_meanwhile(host: str) -> None:
        if host == "web-2":
            shop.stand_ins.answers[host] = late if shop.stand_ins.calls[host] == 1 else shop.answers()

    shop.stand_ins.before = deployed_meanwhile
    done = shop.gate("-k", "agreement", "--wait", "60", *arguments)
    looks = [(event["outcome"]["host"], event["outcome"]["finding"]["verdict"]) for event in shop.events("part")]
    # Workers report in no order of theirs; each host's own looks have one.
    assert sorted(looks, key=itemgetter(0)) == [
        (host, verdict) for host in ("web-1", "web-2") for verdict in ("fail", "pass", "pass")
    ], done.stdout
    assert shop.agreement() == {"web-1": "pass", "web-2": "pass"}
    assert shop.stand_ins.calls == {"web-1": 3, "web-2": 3}


def test_a_worker_that_dies_leaves_no_agreement(shop: Shop) -> None:
    """A host whose worker died before it sent the digest has no agreement, and no other host agrees with it."""
    shop.describe("web-1", "web-2", "web-3", "web-4")
    struck = threading.Event()

    def strike(host: str) -> None:
        if host == "web-2" and not struck.is_set():
            struck.set()
            worker_of(host, shop.runs.folder).send_signal(signal.SIGKILL)

    shop.stand_ins.before = strike
    done = shop.gate("-n", "2", "--max-worker-restart", "0")
    assert done.returncode == 1, done.stdout + done.stderr
    assert not {"web-2", "web-4"} & set(shop.agreement())
    assert "pass" not in shop.agreement().values()


def worker_of(host: str, folder: Path) -> psutil.Process:
    """Return the worker whose `ssh` asks for a host."""
    asking = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(folder / "bin" / "ssh") in (process.info["cmdline"] or ()) and host in process.info["cmdline"]
    ]
    (parent,) = {process.parent() for process in asking}
    return parent


def test_too_few_descriptors_are_one_line(shop: Shop) -> None:
    """Where the limit leaves no room for a host, the run ends at once with exit 4 and the limit to raise it to."""
    shop.describe("web-1")
    done = limited(shop, 64)
    assert done.returncode == 4, done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "file descriptors" in line]
    assert "ulimit -n " in line
    assert not shop.stand_ins.calls


def test_few_descriptors_let_hosts_wait_and_lose_none(shop: Shop) -> None:
    """Where the limit leaves room for a few hosts, a line says so, and all are observed, so many at once."""
    hosts = [f"web-{number}" for number in range(1, 7)]
    shop.describe(*hosts)
    done = limited(shop, 140, "-k", "complete or registered")
    assert "ulimit -n " in done.stdout
    assert {outcome["finding"]["verdict"] for outcome in shop.outcomes().values()} == {"pass"}, (
        done.stdout + done.stderr
    )
    assert shop.stand_ins.calls == dict.fromkeys(hosts, 1)
    assert 1 <= shop.stand_ins.most_at_once < len(hosts)


def limited(shop: Shop, descriptors: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the gate under a limit of file descriptors."""
    shop.runs.forget()
    shop.stand_ins.forget()
    return subprocess.run(
        ["prlimit", f"--nofile={descriptors}", *shop.runs.command("--environment", "shop", *arguments)],
        cwd=shop.runs.folder,
        env=shop.runs.environment(**shop.stand_ins.environment()),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


# A stage that is up already, in place of one of the run's own, whose repair nobody sees.
STAGE_THAT_IS_UP = """
import os
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    from fixtures.environments import live, staged
    from fixtures.environments.settings import Environment
    from fixtures.observation.facts import Unobserved

    class Up:
        def __init__(self, **_asked):
            pass

        def environment(self):
            return Environment.model_validate_json(os.environ["STAGE"])

        def end(self):
            pass

    def repair(self):
        raise Unobserved("not looked at")

    staged.StageOfRun = Up
    live.IntrusiveHost.repair = repair
"""


def test_a_worker_knows_that_its_environment_is_a_stage(shop: Shop) -> None:
    """On a stage what was not measured counts, also where a worker looks: there its test fails and is not skipped."""
    shop.plugin("stage_that_is_up", STAGE_THAT_IS_UP)
    shop.runs.forget()
    results = shop.runs.folder / "pytest.xml"
    done = shop.runs.gate(
        *("-n", "2", "-k", "recovery", "-p", "stage_that_is_up", "--junitxml", str(results)),
        STAGE=shop.environment.model_dump_json(),
        PYTHONPATH=str(shop.runs.folder),
    )
    (outcome,) = shop.outcomes().values()
    assert (outcome["check"], outcome["finding"]["verdict"]) == ("recovery", "unknown"), done.stdout + done.stderr
    (started,) = shop.events("run-started")
    assert started["plan"]["kind"] == "staged"
    (suite,) = ET.parse(results).getroot().iter("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("1", "1", "0")
