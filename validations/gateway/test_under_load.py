"""Traffic while the cache is rebuilt, cleared, edited under and deployed: every answer is the complete page."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from fixtures.options import lack
from fixtures.profiles import Profile
from validations.gateway.served import Served, serving

ROUND_SECONDS = 4

# wrk gives each answer to this script. What it counts as bad is what a visitor would: anything but the whole page.
SCRIPT = """
local paths = {}
local headers = {}
for path in string.gmatch(os.getenv("VIEWGATE_PATHS"), "%S+") do paths[#paths + 1] = path end
headers["Authorization"] = os.getenv("VIEWGATE_AUTHORIZATION")
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function init() asked, whole, bad, first = 0, 0, 0, "" end
function request()
  asked = asked + 1
  return wrk.format("GET", paths[asked % #paths + 1], headers)
end
function response(status, told, body)
  if status == 200 and string.find(string.sub(body, -64), "</html>%s*$") then whole = whole + 1
  else
    bad = bad + 1
    if first == "" then first = status .. " " .. string.len(body) .. " bytes: " .. string.sub(body, -200) end
  end
end
function done(summary)
  local sum = {whole = 0, bad = 0}
  local first = ""
  for _, thread in ipairs(threads) do
    sum.whole = sum.whole + thread:get("whole")
    sum.bad = sum.bad + thread:get("bad")
    if first == "" then first = thread:get("first") end
  end
  local errors = summary.errors
  io.stderr:write(string.format("%d %d %d %d %d %d\\n%s\\n", sum.whole, sum.bad,
    errors.connect, errors.read, errors.write, errors.timeout, first))
end
"""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What visitors saw: whole pages, bad answers with the first of them, and connections that broke."""

    whole: int = 0
    bad: int = 0
    broken: int = 0
    first: str = ""

    def __add__(self, other: Traffic) -> Traffic:
        """Count both."""
        return Traffic(
            self.whole + other.whole, self.bad + other.bad, self.broken + other.broken, self.first or other.first
        )


@dataclass
class Wrk:
    """Visitors: wrk, for some seconds, with several connections that are kept."""

    program: str
    script: Path
    served: Served
    seconds: int = ROUND_SECONDS
    page: str = ""
    process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Begin."""
        page = self.page or self.served.environment.page.path
        paths = [page, "/", "/", "/login", "/admin/admin/resources/calls/list"]
        connections = ["-t2", "-c8", f"-d{self.seconds}s", "--timeout", "30s"]
        self.process = subprocess.Popen(
            [self.program, *connections, "-s", str(self.script), self.served.environment.url],
            env={"VIEWGATE_PATHS": " ".join(paths), "VIEWGATE_AUTHORIZATION": self.served.headers["Authorization"]},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs."""
        assert self.process is not None
        assert self.process.stderr is not None
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def goes_on(self) -> bool:
        """Tell whether visitors still come."""
        assert self.process is not None
        return self.process.poll() is None

    def traffic(self) -> Traffic:
        """Wait for the end, and tell what was seen."""
        assert self.process is not None
        _, said = self.process.communicate(timeout=self.seconds + 60)
        counts, _, first = said.partition("\n")
        whole, bad, *errors = (int(count) for count in counts.split())
        return Traffic(whole, bad, sum(errors), first.strip())


@pytest.fixture(scope="module", name="served")
def _served() -> Iterator[Served]:
    with serving(682) as served:
        yield served


@pytest.fixture(name="wrk")
def _wrk(served: Served, tmp_path: Path, pytestconfig: pytest.Config) -> Callable[[], Wrk]:
    program = shutil.which("wrk")
    if program is None:
        lack(pytestconfig, "wrk", "there is no wrk on PATH to make traffic with")
    script = tmp_path / "count.lua"
    script.write_text(SCRIPT)
    return lambda: Wrk(program, script, served)


def test_the_count_sees_what_is_not_whole(wrk: Callable[[], Wrk]) -> None:
    """The counter is not blind: a page that is not there is counted as bad, each time it is asked for."""
    visitors = wrk()
    visitors.seconds, visitors.page = 1, "/nowhere"
    with visitors:
        traffic = visitors.traffic()
    assert traffic.bad > 0
    assert traffic.first.startswith("404 ")
    assert 3 < traffic.whole / traffic.bad < 5


def test_every_answer_is_whole_whatever_happens_to_the_cache(
    served: Served, wrk: Callable[[], Wrk], profile: Profile, record_property: Callable[[str, object], None]
) -> None:
    """Under rebuilds, clears, edits, deploys and rollbacks, not one of 100,000 answers (soak) is less than a page."""
    requests = profile.choose(gate=1_000, ci=20_000, soak=100_000)
    rounds = profile.choose(gate=1, ci=3, soak=20)
    turns = itertools.cycle(
        [
            ["deploy"],
            ["view:clear"],
            ["view:cache"],
            ["optimize:clear"],
            ["rollback"],
            ["view:health-check", "--fix"],
            ["optimize"],
        ]
    )
    done: dict[str, int] = {}
    seen = Traffic()
    while seen.whole < requests or done.get("rollback", 0) < rounds:
        with wrk() as visitors:
            while visitors.goes_on():
                arguments = next(turns)
                _edit(served, sum(done.values()))
                run = served.artisan(*arguments)
                assert run.returncode == 0, f"{arguments}: {run.stdout}{run.stderr}"
                done[arguments[0]] = done.get(arguments[0], 0) + 1
            seen += visitors.traffic()
        assert (seen.bad, seen.broken, seen.first) == (0, 0, ""), json.dumps(done)
    record_property("answers", seen.whole)
    record_property("disturbances", json.dumps(done))
    assert served.health("--fix")["healthy"] is True
    assert served.residue() == []


def _edit(served: Served, number: int) -> None:
    """Edit a source of the release that is served, as nobody should."""
    view = served.root.resolve() / "resources" / "views" / "_partials" / "topbar.html"
    view.write_text(view.read_text().partition("{# edit")[0] + f"{{# edit {number} #}}\n")
