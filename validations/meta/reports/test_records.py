"""The records of a run travel as JSON and refuse what is not theirs."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from reports.records import Finding, Other, Outcome, Plan, Planned, RecordError
from validations.meta.reports.samples import others, outcome, outcomes, plan, planned, planneds, plans

RECORDS = {
    "planned": planned(),
    "plan": plan(planned()),
    "outcome": outcome(),
    "other": Other("test_a.py::test_b", "passed", 0.1, "", 0.0),
}
every_record = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())


@given(record=planneds | plans | outcomes | others)
def test_a_record_survives_json(record: Planned | Plan | Outcome | Other) -> None:
    """Whatever a record holds, it is the same after a journey through a file of JSON lines."""
    line = json.dumps(record.to_json(), allow_nan=False)
    assert type(record).from_json(json.loads(line)) == record


def test_a_lone_surrogate_is_read_back_as_its_escape() -> None:
    """What has no UTF-8 stays visible, and makes no record unreadable."""
    one = outcome(reason="\udce9")
    assert Outcome.from_json(json.loads(json.dumps(one.to_json()))).finding.observed == "\\udce9"


@every_record
def test_a_record_with_an_unknown_key_is_refused(record: Planned | Plan | Outcome | Other) -> None:
    """A key nobody knows means another version wrote the record."""
    with pytest.raises(RecordError, match="surprise"):
        type(record).from_json(record.to_json() | {"surprise": 1})


@every_record
def test_a_record_without_one_of_its_keys_is_refused(record: Planned | Plan | Outcome | Other) -> None:
    """A key without a default has to be there, and the error names the missing one."""
    for name in [one.name for one in fields(record) if MISSING is one.default and MISSING is one.default_factory]:
        data = record.to_json()
        del data[name]
        with pytest.raises(RecordError, match=name):
            type(record).from_json(data)


@every_record
@pytest.mark.parametrize("data", [None, [], "text", 1], ids=["null", "list", "text", "number"])
def test_what_is_no_object_is_refused(record: Planned | Plan | Outcome | Other, data: object) -> None:
    """Anything but an object is an error that says what was found."""
    with pytest.raises(RecordError, match="should be an object"):
        type(record).from_json(data)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"check": ["middleware"]}, id="check-list"),
        pytest.param({"seconds": "0.1"}, id="seconds-text"),
        pytest.param({"seconds": float("inf")}, id="seconds-infinite"),
        pytest.param({"superseded": 1}, id="superseded-number"),
        pytest.param({"finding": "pass"}, id="finding-text"),
        pytest.param({"attachments": "attachments/a.png"}, id="attachments-text"),
        pytest.param({"attachments": ["attachments/../../a.png"]}, id="attachment-elsewhere"),
        pytest.param({"attachments": ["/etc/passwd"]}, id="attachment-absolute"),
        pytest.param({"attachments": ["attachments/a]]b.png"]}, id="attachment-with-brackets"),
    ],
)
def test_an_outcome_of_the_wrong_form_is_refused(change: dict[str, Any]) -> None:
    """A test that says nonsense of its cell is found out here, and not by a reader of the reports."""
    with pytest.raises(RecordError, match=next(iter(change)).rstrip("s")):
        Outcome.from_json(outcome().to_json() | change)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"verdict": "green"}, id="verdict-unheard-of"),
        pytest.param({"verdict": "waived"}, id="verdict-waived"),
        pytest.param({"verdict": None}, id="verdict-none"),
        pytest.param({"code": ""}, id="code-none"),
        pytest.param({"code": "coverage"}, id="code-of-no-check"),
        pytest.param({"level": "guessed"}, id="level-unheard-of"),
        pytest.param({"observed": None}, id="observed-none"),
        pytest.param({"figures": []}, id="figures-list"),
        pytest.param({"figures": {"rate": float("nan")}}, id="figure-nan"),
        pytest.param({"figures": {"views": None}}, id="figure-none"),
        pytest.param({"figures": {"views": [1]}}, id="figure-list"),
        pytest.param({"samples": []}, id="samples-list"),
        pytest.param({"samples": {"seconds": 1}}, id="samples-number"),
        pytest.param({"samples": {"seconds": [None]}}, id="sample-none"),
        pytest.param({"samples": {"seconds": [float("inf")]}}, id="sample-infinite"),
    ],
)
def test_a_finding_of_the_wrong_form_is_refused(change: dict[str, Any]) -> None:
    """A verdict, code, level or figure that is none is found out here, and not by a reader of the reports."""
    with pytest.raises(RecordError, match=next(iter(change)).rstrip("s")):
        Finding.from_json(outcome().finding.to_json() | change)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"kind": "wish"}, id="kind"),
        pytest.param({"number": 9}, id="number-nine"),
        pytest.param({"number": True}, id="number-bool"),
        pytest.param({"required": 1}, id="required-number"),
    ],
)
def test_a_planned_part_of_the_wrong_form_is_refused(change: dict[str, Any]) -> None:
    """The ledger holds the eight and the objectives, and nothing else."""
    with pytest.raises(RecordError, match=next(iter(change))):
        Planned.from_json(planned().to_json() | change)


def test_a_part_is_planned_once() -> None:
    """Two parts of one identity would hide each other."""
    with pytest.raises(ValidationError, match="planned twice"):
        plan(planned(), planned())
