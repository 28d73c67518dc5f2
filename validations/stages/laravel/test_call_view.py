"""The enhanced call view in PHP words a call as the gateway does, field by field, whatever the call has."""

from __future__ import annotations

import copy
import json
import math
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings

from fixtures.calls.sample import SAMPLE_CALL
from fixtures.calls.strategies import Call, calls_with_a_token, hostile_calls, partial_calls
from fixtures.gateway.web.call_view import Row, Shown, enhanced_call_context
from validations.expectations import TIERS
from validations.stages.gateway.served import Served

# A call a line, and a line of its rows back.
WORKER = r"""
spl_autoload_register(fn ($class) => require $argv[1].'/app/'.strtr(substr($class, 4), '\\', '/').'.php');
$view = new App\CallView\EnhancedCall(new App\CallView\Schema($argv[1].'/resources/calls'));
$telling = function ($shown) use (&$telling) {
    $parts = array_map(fn ($part) => [$part[0], $telling($part[1])], $shown->parts);

    return [$shown->kind, $shown->text, $shown->tone, $parts];
};
while (($line = fgets(STDIN)) !== false) {
    try {
        $context = $view->context(json_decode($line, flags: JSON_THROW_ON_ERROR));
        $told = fn ($row) => [$row->path, $row->tier, $row->raw, $row->share, $telling($row->shown)];
        $rows = array_map($told, $context['rows']);
        $tiers = array_map(fn ($tier) => [$tier->number, $tier->name, $tier->fields], $context['tiers']);
        echo json_encode([$rows, $tiers], JSON_THROW_ON_ERROR), "\n";
    } catch (Throwable $error) {
        echo $error->getMessage(), ' in ', basename($error->getFile()), ':', $error->getLine(), "\n";
    }
}
"""

Worded = Callable[[Call], tuple[dict[str, Any], list[Any]]]


@pytest.fixture(scope="module", name="in_php")
def _in_php(served: Served) -> Iterator[Worded]:
    worker = subprocess.Popen(
        ["php", "-r", WORKER, "--", str(served.root.resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None

    def worded(call: Call) -> tuple[dict[str, Any], list[Any]]:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps(call, allow_nan=False) + "\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
        assert line.startswith("["), f"PHP says: {line}"
        rows, tiers = json.loads(line)
        return rows, tiers

    yield worded
    worker.stdin.close()
    worker.wait(10)
    worker.stdout.close()


def as_php_tells(row: Row) -> list[Any]:
    """Return a row as the worker prints it."""

    def told(shown: Shown) -> list[Any]:
        return [shown.kind, shown.text, shown.tone, [[label, told(part)] for label, part in shown.parts]]

    return [row.path, row.tier, row.raw, row.share, told(row.shown)]


FRACTIONS = {
    "duration_ms": 9999.5,
    "start_timestamp": 1_700_000_000_123,
    "call_cost": {"combined_cost": 0.5, "total_duration_seconds": 59.25, "total_duration_unit_price": 0.00012},
    "latency": {"e2e": {"p50": 10_000, "max": 3_600_000, "min": 0.4, "num": 1234}, "llm": {"p90": 1e-7}},
    "llm_token_usage": {"average": 1234567.891, "num_requests": 1_000_000, "values": [1.5, 100000.0, 0.1]},
    "metadata": {"a": 1.0, "b": 1e22, "c": -0.5, "d": True},
}


@example(SAMPLE_CALL)
@example({**copy.deepcopy(SAMPLE_CALL), **FRACTIONS})
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=partial_calls())
def test_both_word_a_call_alike(in_php: Worded, call: Call) -> None:
    """Of any call with fields left out or null, both show the same 112 fields with the same words in the same tiers."""
    rows, tiers = in_php(call)
    context = enhanced_call_context(call)
    assert list(rows.values()) == [as_php_tells(row) for row in context["rows"].values()]
    assert tiers == [[tier.number, tier.name, tier.fields] for tier in context["tiers"]]


@example({**copy.deepcopy(SAMPLE_CALL), "start_timestamp": -1e-99, "end_timestamp": 1999.99999})
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=hostile_calls())
def test_an_untrusted_call_is_shown_whole(in_php: Worded, call: Call) -> None:
    """Whatever types a call has, each of the 112 fields is shown once."""
    assume(_is_json(call))
    rows, _ = in_php(call)
    assert sorted(rows) == sorted(path for paths in TIERS.values() for path in paths)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=calls_with_a_token())
def test_a_credential_is_never_shown(in_php: Worded, drawn: tuple[Call, str]) -> None:
    """An access_token is not told, nor its value, wherever else in the call that stands."""
    call, token = drawn
    rows, _ = in_php(call)
    told = json.dumps(rows)
    assert token not in told
    assert "access_token" not in told


def _is_json(value: Any) -> bool:
    """Tell whether PHP reads it as JSON: no NaN, no half of a surrogate pair, no name that begins with NUL."""
    if isinstance(value, dict):
        return not any(key.startswith("\0") for key in value) and all(
            _is_json(key) and _is_json(item) for key, item in value.items()
        )
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, float) or math.isfinite(value)
