"""The Grafana dashboard and the alerts on a real Prometheus, which scrapes real runs through node_exporter.

Grafana itself is not here; what its panels ask for is asked of Prometheus with the very expressions.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.options import lack
from fixtures.processes import end, free_port, wait_until
from validations.meta.reports.integrations.kept import CHECKOUT, INTEGRATIONS, RUN_SECONDS, Kept

SECONDS = 60.0
DASHBOARD = json.loads((INTEGRATIONS / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
PANELS = {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in DASHBOARD["panels"]}


class Prometheus:
    """A running Prometheus, asked over its HTTP interface."""

    def __init__(self, url: str, metrics: Path) -> None:
        self.url = url
        self.metrics = metrics

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return an expression's samples now."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=SECONDS)
        assert answer.json()["status"] == "success", answer.text
        samples: list[dict[str, Any]] = answer.json()["data"]["result"]
        return samples

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        alerts = httpx.get(f"{self.url}/api/v1/alerts", timeout=SECONDS).json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


@pytest.fixture(scope="module")
def prometheus(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Start node_exporter with one folder of textfiles, and Prometheus with our alerts."""
    for program in ("prometheus", "prometheus-node-exporter"):
        if shutil.which(program) is None:
            lack(pytestconfig, "prometheus", f"there is no {program} on PATH")
    folder = tmp_path_factory.mktemp("prometheus")
    collected, exporter_port, port = folder / "textfiles", free_port(), free_port()
    collected.mkdir()
    (folder / "prometheus.yml").write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(INTEGRATIONS / "prometheus" / "alerts.yml")],
                "scrape_configs": [
                    {"job_name": "node", "static_configs": [{"targets": [f"127.0.0.1:{exporter_port}"]}]}
                ],
            }
        ),
        encoding="utf-8",
    )
    commands = (
        [
            *("prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile"),
            *(f"--collector.textfile.directory={collected}", f"--web.listen-address=127.0.0.1:{exporter_port}"),
        ],
        [
            *("prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"),
            f"--web.listen-address=127.0.0.1:{port}",
        ],
    )
    with contextlib.ExitStack() as stack:
        for command in commands:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(end, process)
        running = Prometheus(f"http://127.0.0.1:{port}", collected / "viewgate.prom")

        def ready() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{running.url}/-/ready").status_code == 200
            return False

        wait_until(ready, awaited="Prometheus", seconds=SECONDS)
        yield running


def collected_run(kept: Kept, prometheus: Prometheus, reports: Path) -> int:
    """Run the gate, and hand its metrics to the collector as a user's job does."""
    command = [sys.executable, "-m", "pytest", "validations/gate", "--environment", kept.name]
    command += ["--environments", str(kept.file), "--reports", str(reports)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, timeout=RUN_SECONDS, check=False)
    written = prometheus.metrics.with_suffix(".tmp")
    shutil.copy(reports / "metrics.prom", written)
    written.replace(prometheus.metrics)
    return done.returncode


@pytest.mark.profile("ci")
def test_every_panel_shows_something_and_red_is_told(kept: Kept, prometheus: Prometheus, tmp_path: Path) -> None:
    """Each expression of each panel has samples after a green run; after a red one the alert fires, and then clears."""
    assert collected_run(kept, prometheus, tmp_path) == 0
    wait_until(lambda: bool(prometheus.query("viewgate_gate_passed == 1")), awaited="the green run", seconds=SECONDS)
    for title, expressions in PANELS.items():
        for expression in expressions:
            assert prometheus.query(expression.replace("$environment", ".+")), (title, expression)
    assert prometheus.firing() == set()
    with kept.broken():
        assert collected_run(kept, prometheus, tmp_path) == 1
    wait_until(lambda: prometheus.firing() == {"ViewgateRed"}, awaited="the alert", seconds=SECONDS)
    (cell,) = prometheus.query("viewgate_check_passed == 0")
    assert cell["metric"]["check"] == "filament"
    assert collected_run(kept, prometheus, tmp_path) == 0
    wait_until(lambda: prometheus.firing() == set(), awaited="the alert's end", seconds=SECONDS)


def test_the_dashboard_is_whole() -> None:
    """Panels have titles, descriptions and places that do not overlap; each asks for metrics that the gate writes."""
    text = (CHECKOUT / "reports" / "metrics.py").read_text(encoding="utf-8")
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        assert panel["description"]
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        for target in panel["targets"]:
            names = [word for word in target["expr"].replace("{", " ").replace("(", " ").split() if "viewgate_" in word]
            assert names
            assert all(f'"{name.removeprefix("viewgate_")}"' in text for name in names), names
