"""Records to test reports with: small literal ones, drawn ones, and hostile ones."""

from __future__ import annotations

from hypothesis import strategies as st

from reports.records import Kind, Other, Outcome, Plan, Planned, Verdict

HOSTILE = "\x00\x1b[31m]]><script>&amp;\"'\ud800\uffff\u202e\U0001f9e8\r\n\t"
"""What an observed page may hold: control characters, the end of a CDATA section, markup, a lone surrogate."""


def planned(name: str = "middleware/web-1/booted", *, number: int = 1, required: bool = True) -> Planned:
    """Return a part named `check/host/part`."""
    check, host, part = name.split("/")
    kind: Kind = "validation" if number else "objective"
    return Planned(check, host, part, kind, number, "a promise", required, f"gate/test_{check}.py", 7)


def plan(*parts: Planned) -> Plan:
    """Return a plan of these parts, for an environment `staged`."""
    hosts = tuple(dict.fromkeys(part.host for part in parts))
    return Plan("staged", "staged", hosts, parts, {"python": "3.11"})


def outcome(
    name: str = "middleware/web-1/booted",
    verdict: Verdict = Verdict.PASS,
    *,
    reason: str = "",
    remedy: str = "",
    figures: dict[str, str | int | float | bool] | None = None,
    attempt: int = 1,
) -> Outcome:
    """Return an outcome of the part named `check/host/part`."""
    check, host, part = name.split("/")
    nodeid = f"gate/test_{check}.py::test_it[{host}-{part}]"
    return Outcome(check, host, part, verdict, reason, remedy, figures or {}, 0.25, attempt, nodeid, 1_795_492_800.0)


_texts = st.text(max_size=20) | st.just(HOSTILE)
_seconds = st.floats(0, 1e6)
_scalars = _texts | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()

verdicts = st.sampled_from(list(Verdict))
planneds = st.builds(
    Planned,
    check=_texts,
    host=_texts,
    part=_texts,
    kind=st.sampled_from(["validation", "objective"]),
    number=st.integers(0, 8),
    title=_texts,
    required=st.booleans(),
    file=_texts,
    line=st.integers(0, 10_000),
)
plans = st.builds(
    Plan,
    environment=_texts,
    kind=_texts,
    hosts=st.lists(_texts, max_size=3).map(tuple),
    parts=st.lists(planneds, max_size=5, unique_by=lambda part: part.key).map(tuple),
    provenance=st.dictionaries(_texts, _texts, max_size=3),
)
outcomes = st.builds(
    Outcome,
    check=_texts,
    host=_texts,
    part=_texts,
    verdict=verdicts,
    reason=_texts,
    remedy=_texts,
    figures=st.dictionaries(_texts, _scalars, max_size=3),
    seconds=_seconds,
    attempt=st.integers(1, 5),
    nodeid=_texts,
    started=_seconds,
)
others = st.builds(
    Other,
    nodeid=_texts,
    outcome=st.sampled_from(["passed", "failed", "skipped", "error", "interrupted"]),
    seconds=_seconds,
    message=_texts,
)
