"""The documents say what is there, and all of it: options, checks, exit codes, areas, parts, examples."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from fixtures.concurrency.systems import Scenario
from fixtures.environments.settings import load
from fixtures.faults.base import Fault
from fixtures.faults.catalogue import AREAS
from fixtures.options import OPTIONAL_PARTS
from reports import events, metrics
from reports.records import EVENTS, FILES, Verdict
from reports.verdict import INCONCLUSIVE
from validations.least_evidence import table
from validations.meta.reports import showcase as reports_showcase
from validations.races.portfolio import CASES, Case
from validations.registry import EIGHT, OBJECTIVES, Check
from validations.waivers import load as load_waivers

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_every_option_is_documented_and_every_documented_option_is_there(pytestconfig: pytest.Config) -> None:
    """The options of the README's table are the options that the suite adds, and pytest-xdist's `-n`."""
    table = README.partition("## Options")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `(--?[a-z-]+)", table, re.MULTILINE))
    groups = [group for group in pytestconfig._parser._groups if group.name.startswith("viewgate")]  # noqa: SLF001
    added = {name for group in groups for option in group.options for name in option.names()}
    assert documented == added | {"-n"}


@pytest.mark.parametrize("check", EIGHT, ids=lambda check: check.id)
def test_every_check_is_documented(check: object) -> None:
    """Each of the eight has its row in the README, under its number and id."""
    number, name = getattr(check, "number", 0), getattr(check, "id", "")
    assert f"| {number} | `{name}` |" in README


@pytest.mark.parametrize("code", [0, 1, INCONCLUSIVE])
def test_every_exit_code_is_documented(code: int) -> None:
    """Each exit code of the gate has its row in the README."""
    assert re.search(rf"^\| {re.escape(str(code))} \|", README, re.MULTILINE)


# --- the longer documents

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = tuple(
    sorted(
        path
        for folder in ("validations", "fixtures", "reports")
        for path in (ROOT / folder).rglob("README.md")
        if not {"runs", "scheduled", "node_modules"} & set(path.parts)
    )
)
VALIDATIONS = (ROOT / "validations" / "README.md").read_text(encoding="utf-8")
FIXTURES = (ROOT / "fixtures" / "README.md").read_text(encoding="utf-8")
REPORTS = (ROOT / "reports" / "README.md").read_text(encoding="utf-8")
INTEGRATIONS = (ROOT / "reports" / "integrations" / "README.md").read_text(encoding="utf-8")


def place(document: Path) -> str:
    """Return a document's folder, whatever the checkout is called."""
    return document.parent.relative_to(ROOT).as_posix().replace("/", "-").replace(".", "top")


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [rest.partition("\n```")[0] + "\n" for rest in text.split(f"\n```{language}\n")[1:]]


def marked(text: str, mark: str) -> str:
    """Return the one fenced block after a mark."""
    (rest,) = text.split(f"<!-- {mark} -->\n```")[1:]
    return rest.partition("\n")[2].partition("\n```")[0] + "\n"


@pytest.mark.parametrize("document", [ROOT / "README.md", *DOCUMENTS], ids=place)
def test_every_link_leads_somewhere(document: Path) -> None:
    """Whatever a document links to within the project is there."""
    text = document.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", [ROOT / "README.md", *DOCUMENTS], ids=place)
def test_every_command_has_options_and_paths_that_exist(document: Path, pytestconfig: pytest.Config) -> None:
    """Each `uv run pytest` line of a document names files and options that are there, and each module can be found."""
    known = {name for group in pytestconfig._parser._groups for option in group.options for name in option.names()}  # noqa: SLF001
    for line in "\n".join(blocks(document.read_text(encoding="utf-8"), "sh")).splitlines():
        words = shlex.split(line.partition("||")[0], comments=True)
        for word in words:
            name = word.partition("=")[0]
            if "pytest" in words and word.startswith("--"):
                assert name in known, (line, name)
            if word.startswith("validations/"):
                assert (ROOT / word.partition("::")[0]).exists(), (line, word)
        if "-m" in words and "python" in words and words[words.index("-m") - 1] == "python":
            module = words[words.index("-m") + 1]
            assert module == "pip" or importlib.util.find_spec(module) is not None, (line, module)


@pytest.mark.parametrize("check", EIGHT, ids=lambda check: check.id)
def test_every_check_says_what_it_proves(check: Check) -> None:
    """Each of the eight has its section: what it proves, what does not fool it, and the remedy."""
    section = VALIDATIONS.partition(f"### {check.number} `{check.id}`\n")[2].partition("\n### ")[0]
    assert all(word in section for word in ("**Proves**", "**Not fooled by**", "**Remedy**"))


def test_every_objective_verdict_and_part_is_documented() -> None:
    """Objectives, verdicts, fault areas and what a machine may lack are in their documents, and nothing else is."""

    def rows(text: str, heading: str) -> set[str]:
        table = text.partition(f"## {heading}")[2].partition("\n## ")[0]
        return {
            name for row in re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
        }

    assert rows(VALIDATIONS, "The objectives") == {check.id for check in OBJECTIVES}
    verdicts = VALIDATIONS.partition("## The verdicts")[2].partition("\n## ")[0]
    assert all(f"| {verdict} |" in verdicts for verdict in Verdict)
    assert rows(FIXTURES, "What a machine may lack") == set(OPTIONAL_PARTS)
    for part, line in OPTIONAL_PARTS.items():
        assert part in {"root", "mount"} or f"| `{part}` | `{line}` |" in FIXTURES
    areas = FIXTURES.partition("The areas are ")[2].partition(". `needs")[0]
    assert set(re.findall(r"`([\w-]+)`", areas)) == set(AREAS)


def test_the_examples_are_what_they_show(tmp_path: Path) -> None:
    """Those of an environment and of a waiver can be loaded, a fault is one, and a race is in the portfolio."""
    file = tmp_path / "environments.toml"
    file.write_text(marked(FIXTURES, "environments"), encoding="utf-8")
    assert load("production", file=file, folder=tmp_path).kind == "laravel"
    waivers = tmp_path / "waivers.toml"
    waivers.write_text(marked(VALIDATIONS, "waivers"), encoding="utf-8")
    (waiver,) = load_waivers(waivers, "production", today=dt.date(2026, 1, 1))
    assert waiver.check in {check.id for check in EIGHT}
    fault = eval(marked(FIXTURES, "fault"), {"Fault": Fault})  # noqa: S307 - our own document
    assert isinstance(fault, Fault)
    assert fault.name in {known.name for known in AREAS["deployment"]}
    case = eval(marked(FIXTURES, "scenario"), {"Case": Case, "Scenario": Scenario})  # noqa: S307 - our own document
    assert case in CASES


def test_every_symptom_is_one_that_is_told() -> None:
    """What the troubleshooting table quotes of a message stands in the code that words it."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for name in ("fixtures", "reports", "validations")
        for path in (ROOT / name).rglob("*.py")
    )
    table = VALIDATIONS.partition("## Troubleshooting")[2].partition("\n## ")[0]
    symptoms = [line.split(" | ")[0] for line in table.splitlines()]
    quoted = [words for cell in symptoms for words in re.findall(r"`([^`]+)`", cell) if re.search("[a-z]{3} ", words)]
    assert len(quoted) >= 6
    for words in quoted:
        literal = max(re.split(r"'x'|N of M|…|\b302\b|/login", words), key=len).strip()
        assert literal in code, words


def test_every_adapter_has_its_row() -> None:
    """Each file of the adapters is linked from their document, and says where it was not run."""
    linked = {re.sub(r"^(?:\.\./)+", "", link) for link in re.findall(r"\]\(([^()\s]+)\)", INTEGRATIONS)}
    here = ROOT / "reports" / "integrations"
    files = {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file() and "__" not in str(path)}
    files |= {str(path.relative_to(ROOT)) for path in (ROOT / ".github").rglob("*.yml")}
    assert files - {"README.md"} - linked == set()
    assert INTEGRATIONS.count("*not run here*") >= 8


def test_every_report_event_and_metric_is_documented() -> None:
    """The document of the reports names each file of a run, each event of its log, and each metric, and no other."""
    files, _, formats = REPORTS.partition("## Formats")
    for name in (*FILES, EVENTS):
        assert f"| `{name}` |" in files
    table = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", formats, re.MULTILINE)
    documented = {name for row in table for name in re.findall(r"`([a-z-]+)`", row)}
    taken = set(re.findall(r'case "([a-z-]+)":', (ROOT / "reports" / "run.py").read_text(encoding="utf-8")))
    assert documented == taken | {"run-started"}
    assert f"`schema` (now {events.SCHEMA})" in formats
    run, past = reports_showcase.red()
    written = set(re.findall(r"^# TYPE (\w+) gauge", metrics.render(run, run.gate, past), re.MULTILINE))
    assert set(re.findall(r"`(viewgate_\w+)`", formats)) == written


def test_the_table_of_least_evidence_is_the_registry_s() -> None:
    """What the document says that a pass needs is what the registry asks for, line by line."""
    _, _, rest = VALIDATIONS.partition("<!-- evidence: python -m validations.least_evidence -->\n")
    assert rest.partition("\n\n")[0].splitlines() == list(table())


def test_every_path_of_the_architecture_is_there() -> None:
    """Each path that ARCHITECTURE.md names exists, and each promise of the brief has its row there."""
    text = (ROOT / "validations" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = {path for path in re.findall(r"`([a-z]\w*/[\w./-]+)`", text) if " " not in path}
    assert len(paths) > 40
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    assert {check.file for check in EIGHT} <= paths
