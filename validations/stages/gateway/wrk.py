"""Visitors by the thousand: wrk, which counts an answer as bad that is anything but the whole page."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from validations.stages.gateway.served import Served

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
