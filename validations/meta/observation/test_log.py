"""The application's log: both probes send the same raw entries, and what they mean is decided once."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import zoneinfo
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.environments import laravel_probing as laravel
from fixtures.environments.stage import runtime_user
from fixtures.environments.transports import carry
from fixtures.gateway.health.logs import RotatingLog
from fixtures.gateway.health.view_errors import recent_view_errors
from fixtures.observation import gateway_probe
from fixtures.observation.cancellation import Cancellation
from fixtures.observation.facts import ApplicationLog, LogEntry, parse
from fixtures.observation.reading.log import entry_of, view_errors
from fixtures.observation.signatures import LOG, SIGNATURES
from validations.meta.observation.laravel_trees import described, laravel_8, php, probed

CHECKOUT = Path(__file__).resolve().parents[3]
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NOW = dt.datetime.now(BERLIN)
BOUNDS = (
    "LOG_TAIL_BYTES", "LOG_READ_BYTES", "LOG_HEAD_BYTES", "LOG_LINE_BYTES", "LOG_ENTRY_BYTES", "LOG_SENT_BYTES",
    "LOG_ENTRIES", "TRACE_FRAMES", "LISTED",
)  # fmt: skip
Reader = Callable[..., ApplicationLog]


def line(minutes_ago: float, message: str, level: str = "ERROR") -> str:
    """Return an entry of some minutes ago, as an application in Berlin writes it."""
    stamp = (dt.datetime.now(BERLIN) - dt.timedelta(minutes=minutes_ago)).strftime("%Y-%m-%d %H:%M:%S")
    return f"[{stamp}] production.{level}: {message}\n"


def by_the_gateway(path: Path, monkeypatch: pytest.MonkeyPatch, secrets: str, bounds: dict[str, int]) -> ApplicationLog:
    """Read a log by the gateway's probe."""
    for name, value in bounds.items():
        monkeypatch.setattr(gateway_probe, name, value)
    (path.parent / ".env").write_text(secrets, encoding="utf-8")
    gateway_probe.secrets_of.cache_clear()
    seen = gateway_probe.application_log(str(path.parent), str(path), {"application": {"timezone": "Europe/Berlin"}})
    return ApplicationLog.model_validate_json(json.dumps(seen))


def by_php(path: Path, _: pytest.MonkeyPatch, secrets: str, bounds: dict[str, int]) -> ApplicationLog:
    """Read a log by the Laravel probe's own functions, without an application around them."""
    (path.parent / ".env").write_text(secrets, encoding="utf-8")
    source = laravel.script().decode().rpartition("(new Probe(")[0]
    for name, value in bounds.items():
        before = source
        source = source.replace(f"const {name} = {getattr(gateway_probe, name)};", f"const {name} = {value};")
        assert source != before, name
    source += """
        date_default_timezone_set('Europe/Berlin');
        $config = new class { public function get($key, $or = null) { global $argv; return [
            'logging.default' => 'single',
            'logging.channels.single' => ['driver' => 'single', 'path' => $argv[1]],
        ][$key]; } };
        echo json_encode(application_log(['config' => $config], dirname($argv[1])),
            JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR);
    """
    done = subprocess.run([php(), "--", str(path)], input=source.encode(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ApplicationLog.model_validate_json(done.stdout)


@pytest.fixture(name="read", params=[by_the_gateway, by_php], ids=["gateway", "laravel"])
def _read(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Return a function that writes a log and has it read by one of the two probes."""

    def read(text: str | bytes, *, secrets: str = "", **bounds: int) -> ApplicationLog:
        path = tmp_path / "laravel.log"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        seen = request.param(path, monkeypatch, secrets, bounds)
        assert isinstance(seen, ApplicationLog)
        return seen

    return read


# --- signatures

VIEW = "/srv/storage/framework/views/a.php"
MESSAGES = (
    ("filemtime", f"filemtime(): stat failed for {VIEW}"),
    ("hash_file", f"hash_file({VIEW}): Failed to open stream: No such file or directory"),
    ("rename", "rename(/srv/a.tmp,/srv/a.php): No such file or directory"),
    ("chmod", "chmod(): No such file or directory"),
    ("touch", "touch(): Utime failed: No such file or directory"),
    ("unwritable", "tempnam(): file created in the system's temporary directory"),
    ("unwritable", f"file_put_contents({VIEW}): Failed to open stream: Permission denied"),
    ("cache-path", "Please provide a valid cache path."),
    ("require", "require(/srv/a.php): Failed to open stream: No such file or directory"),
    ("require", "include_once(/srv/a.php): failed to open stream: No such file or directory"),
    ("missing-file", "File does not exist at path /srv/a.php."),
    ("missing-file", f"copy: No such file or directory: {VIEW}"),
    ("parse", "syntax error, unexpected end of file (View: /srv/a.blade.php)"),
    ("parse", f"ParseError: syntax error\n#0 {VIEW}(3): require()"),
    ("root-tag", "Livewire\\Exceptions\\RootTagMissingFromViewException"),
    ("hint-path", "No hint path defined for [mail]."),
    ("view", "Illuminate\\View\\ViewException: boom"),
    ("view", "view cache defect not repaired: a.html"),
)
# What only the gateway's engine says.
OF_JINJA = (
    ("marshal", "bad marshal data (unknown type code)"),
    ("template", "[object] (jinja2.exceptions.TemplateNotFound(code: 0): a.html"),
    ("template", "TemplateSyntaxError: x"),
    ("view", "CompiledViewError: x"),
)
HARMLESS = (
    "a queue is down",
    "ParseError: syntax error in /srv/app/Models/Call.php",
    "unexpected end of file while reading a header",
    "hash_file() is slow\n#0 fopen(/x): Failed to open stream",
    "rename() took 3 s",
    "copy: No such file or directory\nframework/views is fine",
)


def entries_of(messages: tuple[tuple[str, str], ...]) -> str:
    """Return a log of these errors, and of what is none."""
    return "".join(
        [
            "the end of an entry that was rotated away: filemtime(): stat failed\n",
            line(90, "filemtime(): stat failed for /old.php"),
            *(line(30 - at, message) for at, (_, message) in enumerate(messages)),
            *(line(3, message) for message in HARMLESS),
            *(line(2, "filemtime(): stat failed is only mentioned", level) for level in ("DEBUG", "INFO", "NOTICE")),
            line(2, "touch(): Utime failed: again", "WARNING"),
            line(1, "filemtime(): stat failed: the last one", "EMERGENCY"),
        ]
    )


def counted(messages: tuple[tuple[str, str], ...]) -> dict[str, int]:
    """Return how many of each there are in `entries_of`."""
    names = [name for name, _ in messages]
    return {
        name: names.count(name) + (name in {"touch", "filemtime"}) for name in sorted({*names, "touch", "filemtime"})
    }


def test_each_signature_of_a_log_has_its_example() -> None:
    """Every row that is looked for in a log fits one of the examples."""
    assert {row.name for row in SIGNATURES if LOG in row.places} == {name for name, _ in (*MESSAGES, *OF_JINJA)}


@pytest.mark.parametrize(
    ("name", "message"),
    [pytest.param(*one, id=f"{one[0]}-{number}") for number, one in enumerate((*MESSAGES, *OF_JINJA))],
)
def test_each_kind_of_view_error_is_counted(name: str, message: str) -> None:
    """An error counts once, under its own name, with the first line of its text as the latest."""
    seen = view_errors(logged(line(5, message)))
    assert (seen.by_signature, seen.latest, seen.complete) == ({name: 1}, message.splitlines()[0], True)


def logged(*entries: str, cut: bool = False, left_out: int = 0, whole: bool = True) -> ApplicationLog:
    """Return what a probe sends of these entries."""
    sent = tuple(LogEntry(text=entry.rstrip("\n"), cut=cut, times=1) for entry in entries)
    return ApplicationLog(path="/l", bytes=1, entries=len(sent), levels={}, sent=sent, left_out=left_out, whole=whole)


@pytest.mark.usefixtures("laravel_here")
def test_one_log_has_one_answer_on_both_kinds_of_host(open_folder: Path) -> None:
    """The real probe of each kind, run as on a host, sends the same entries of the same log."""
    shop, gateway = laravel_8(open_folder / "shop"), open_folder / "gateway"
    about = gateway / "artisan"
    log = entries_of(MESSAGES + OF_JINJA)
    for root in (shop, gateway):
        (root / "storage/logs").mkdir(parents=True, exist_ok=True)
        (root / "storage/logs/laravel.log").write_text(log, encoding="utf-8")
    about.write_text('#!/bin/sh\necho \'{"application": {"timezone": "Europe/Berlin"}}\'\n', encoding="utf-8")
    about.chmod(0o755)
    asked = json.dumps({"root": str(gateway), "runtime_user": runtime_user()})
    command = [sys.executable, "-I", "-S", gateway_probe.__file__]
    done = carry(command, f"{asked}\n".encode(), 60, Cancellation(), lifeline=True)
    one, other = parse(done.out).seen("log"), probed(described(shop)).seen("log")
    assert one.model_dump(exclude={"path"}) == other.model_dump(exclude={"path"})
    found = view_errors(one)
    assert (dict(sorted(found.by_signature.items())), found.complete) == (counted(MESSAGES + OF_JINJA), True)
    assert found.latest == "filemtime(): stat failed: the last one"


def test_the_gateway_counts_what_the_suite_counts(tmp_path: Path) -> None:
    """The gateway's own table agrees with the suite's about the same log."""
    log = RotatingLog(tmp_path / "laravel.log")
    log.path.write_text(entries_of(MESSAGES + OF_JINJA), encoding="utf-8")
    found = recent_view_errors(log, dt.datetime.now(BERLIN))
    assert dict(sorted(found.by_signature.items())) == counted(MESSAGES + OF_JINJA)
    assert found.latest == "filemtime(): stat failed: the last one"


def test_the_laravel_stage_counts_what_the_suite_counts(tmp_path: Path) -> None:
    """The table of the stage's health command agrees with the suite's about the same log."""
    log = tmp_path / "laravel.log"
    log.write_text(
        entries_of(MESSAGES) + line(1, "x" * 200_000) + line(1, "filemtime(): stat failed"), encoding="utf-8"
    )
    source = CHECKOUT / "fixtures/laravel/skeleton/app/Support/ErrorLog.php"
    code = "require $argv[1]; echo json_encode(App\\Support\\ErrorLog::recent($argv[2]));"
    command = [php(), "-d", "date.timezone=Europe/Berlin", "-r", code, str(source), str(log)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    found = json.loads(done.stdout)
    expected = counted(MESSAGES)
    assert dict(sorted(found["counts"].items())) == expected | {"filemtime": expected["filemtime"] + 1}


# --- what is sent


def test_both_probes_have_the_same_bounds() -> None:
    """What is read and sent at most is the same on both kinds of host."""
    source = laravel.script().decode()
    for name in BOUNDS:
        assert f"const {name} = {getattr(gateway_probe, name)};" in source, name


def test_only_the_last_hour_is_sent(read: Reader) -> None:
    """An error of 61 minutes ago is past, one of 59 minutes ago is not; both are entries."""
    seen = read(line(61, "filemtime(): stat failed") + line(59, "touch(): Utime failed"))
    assert (seen.entries, seen.levels, view_errors(seen).by_signature) == (2, {"ERROR": 1}, {"touch": 1})


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "NOTICE"])
def test_what_is_no_problem_is_counted_and_not_sent(read: Reader, level: str) -> None:
    """A quiet entry leaves the host as a number alone, whatever it holds and however long it is."""
    seen = read(line(5, "filemtime(): stat failed " + "x" * 200_000, level))
    assert (seen.levels, seen.sent, view_errors(seen).complete) == ({level: 1}, (), True)


def test_an_entry_goes_on_until_the_next_one_begins(read: Reader) -> None:
    """The lines of a stack trace belong to their entry, and a signature there counts once."""
    text = line(5, "Unhandled exception") + "#0 a.php\n#1 filemtime(): stat failed\n#2 rename(a): No such file\n"
    seen = read(text + line(4, "fine", "INFO"))
    assert seen.entries == 2
    assert [entry.text.count("\n") for entry in seen.sent] == [3]
    assert (view_errors(seen).by_signature, view_errors(seen).latest) == ({"filemtime": 1}, "Unhandled exception")


def test_an_error_that_names_the_view_a_line_further_on_counts(read: Reader) -> None:
    """A ParseError whose next line names the folder of compiled views is a view error on every kind of host."""
    seen = read(line(5, "ParseError: syntax error") + "at /srv/storage/framework/views/a.php:3\n")
    assert view_errors(seen).by_signature == {"parse": 1}


@pytest.mark.parametrize("ending", ["\n", ""], ids=["ended", "still-written"])
@pytest.mark.parametrize("place", ["before", "after", "within"])
def test_a_line_of_200_kb_hides_nothing(read: Reader, place: str, ending: str) -> None:
    """What stands before and behind a long line is found; the line itself is cut, which makes a clean log unclear."""
    error, long = line(5, "touch(): Utime failed"), line(5, "x" * 200_000).rstrip("\n") + ending
    texts = {
        "before": error + long,
        "after": long.rstrip("\n") + "\n" + error,
        "within": error + "x" * 200_000 + ending,
    }
    found = view_errors(read(texts[place]))
    assert found.by_signature == {"touch": 1}
    assert found.unclear == (place != "within")
    assert not view_errors(read(long)).complete
    assert view_errors(read(line(90, "old") + long)).total == 0


def test_of_a_long_line_only_the_beginning_is_sent(read: Reader) -> None:
    """A cut entry says so, whether a line is too long or there are too many of them."""
    lines, line_bytes = "".join(f"{{{number}: {'y' * 990}\n" for number in range(30)), gateway_probe.LOG_LINE_BYTES
    by_line, by_entry = read(line(5, "x" * 200_000) + line(4, "many lines") + lines).sent
    assert (len(by_line.text), by_line.cut) == (line_bytes, True)
    assert gateway_probe.LOG_ENTRY_BYTES - 1000 < len(by_entry.text) <= gateway_probe.LOG_ENTRY_BYTES
    assert by_entry.cut


def test_of_a_stack_trace_the_first_frames_are_sent(read: Reader) -> None:
    """A long trace is shortened without being unclear, and what follows it, a previous exception, is kept."""
    frames = "".join(f"#{number} /srv/app/A.php({number}): a()\n" for number in range(60))
    text = line(5, "one") + frames + "[previous exception] touch(): Utime failed\n" + frames + '"}\n'
    seen = read(text)
    (entry,) = seen.sent
    assert entry.text.count("\n#") == 2 * gateway_probe.TRACE_FRAMES
    assert "#0 " in entry.text
    assert not entry.cut
    assert view_errors(seen).by_signature == {"touch": 1}
    assert view_errors(read(line(5, "one") + frames)).complete


def test_entries_of_one_text_are_sent_once(read: Reader) -> None:
    """A thousand times the same error is one entry with its number, the newest of them."""
    text = "".join(line(50 - number / 40, "a queue is down\n#0 a.php") for number in range(1000))
    seen = read(text + line(5, "filemtime(): stat failed") * 3)
    assert [entry.times for entry in seen.sent] == [1000, 3]
    assert seen.sent[0].text.startswith(line(50 - 999 / 40, "")[:18])
    assert (view_errors(seen).by_signature, view_errors(seen).complete) == ({"filemtime": 3}, True)


@pytest.mark.parametrize("bounds", [{"LOG_ENTRIES": 10}, {"LOG_SENT_BYTES": 10 * 40}], ids=["number", "bytes"])
def test_of_too_many_entries_the_newest_are_sent(read: Reader, bounds: dict[str, int]) -> None:
    """Those that are left out are counted, and make a clean log unclear."""
    text = "".join(line(50 - number, f"a queue is down: {number:05d}") for number in range(30))
    seen = read(text, **bounds)
    assert seen.sent[-1].text.endswith("00029")
    assert 0 < len(seen.sent) <= 10
    assert (seen.levels, seen.left_out) == ({"ERROR": 30}, 30 - len(seen.sent))
    assert not view_errors(seen).complete
    assert view_errors(read(text + line(1, "touch(): Utime failed"), **bounds)).by_signature == {"touch": 1}


def test_a_flood_hides_no_error_of_the_same_hour(read: Reader) -> None:
    """The log is read back as far as the hour goes, however much was written since."""
    flood = "".join(line(30, f"request {number}", "INFO") for number in range(400))
    seen = read(line(50, "filemtime(): stat failed") + flood, LOG_TAIL_BYTES=512)
    assert (view_errors(seen).by_signature, seen.levels, seen.whole) == (
        {"filemtime": 1},
        {"ERROR": 1, "INFO": 400},
        True,
    )


def test_a_long_log_is_not_read_beyond_the_hour(read: Reader) -> None:
    """Where the tail begins before the hour, what lies further back is left alone."""
    old = "".join(line(3000, f"request {number}", "INFO") for number in range(5000))
    seen = read(old + line(5, "touch(): Utime failed"), LOG_TAIL_BYTES=4096)
    assert (view_errors(seen).by_signature, seen.whole) == ({"touch": 1}, True)
    assert seen.entries < 100


def test_an_hour_that_is_longer_than_what_is_read_is_not_whole(read: Reader) -> None:
    """Where the hour began before the last bytes that are read at all, a clean rest is unclear."""
    flood = "".join(line(30, f"request {number}", "INFO") for number in range(400))
    seen = read(line(50, "filemtime(): stat failed") + flood, LOG_TAIL_BYTES=512, LOG_READ_BYTES=4096)
    assert (seen.sent, seen.whole, view_errors(seen).complete) == ((), False, False)


def test_a_secret_at_the_end_of_a_cut_line_stays_on_the_host(read: Reader) -> None:
    """A secret that lies across the bound of a line is taken out before the line is cut, as JSON holds it, too."""
    secret = 's3cr"t-' + "z" * 60
    head = len(line(5, ""))
    for kept in range(1, 67, 11):
        fill = "x" * (gateway_probe.LOG_LINE_BYTES - head - kept)
        seen = read(
            line(5, f"{fill}{secret} and more") + line(4, f"{fill}{json.dumps(secret)}"),
            secrets=f"API_KEY='{secret}'\n",
        )
        for entry in seen.sent:
            assert "s3cr" not in entry.text
            assert "zz" not in entry.text


def test_a_log_in_json_has_no_entries(read: Reader) -> None:
    """Monolog's JSON is not read: there is no entry, so that nothing passes for a clean log."""
    record = {"message": "filemtime(): stat failed", "level_name": "ERROR", "datetime": NOW.isoformat()}
    seen = read(f"{json.dumps(record)}\n" * 3)
    assert (seen.entries, seen.sent) == (0, ())


def test_garbage_in_a_log_hides_nothing(read: Reader) -> None:
    """Lines before the first entry and bytes that are no text are passed over; an impossible time is unclear."""
    seen = read(
        b"rest of a cut line: filemtime(): stat failed\n\xff\xfe\0\n"
        b"[2999-13-45 99:99:99] production.ERROR: filemtime(): stat failed\nand more of it\n"
        + line(5, "ViewException \udcff".encode(errors="surrogateescape").decode(errors="replace")).encode()
    )
    found = view_errors(seen)
    assert (found.by_signature, found.unclear) == ({"view": 1}, 1)


def test_an_empty_log_has_no_entries(read: Reader) -> None:
    """An empty log is observed, with nothing in it."""
    seen = read("")
    assert (seen.entries, seen.sent, seen.bytes, seen.whole) == (0, (), 0, True)


def test_a_log_that_is_not_there_is_not_observed(tmp_path: Path) -> None:
    """Without a log nothing can be said of errors."""
    with pytest.raises(gateway_probe.CannotLook, match="there is no application log"):
        gateway_probe.application_log(str(tmp_path), str(tmp_path / "log"), {})


@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from([b"[2999-01-01 00:00:00] a.ERROR: x", b"", b"[", b"#0"])).map(b"\n".join)
)
def test_any_bytes_can_be_a_log(data: bytes) -> None:
    """Taking a log apart raises nothing, whatever it holds."""
    hour = gateway_probe.LogHour("2026-01-01 00:00:00", [])
    for one in data.split(b"\n"):
        hour.read(one)
    hour.close()
    for kept in hour.kept.values():
        entry = entry_of(kept["text"])
        assert entry is None or entry.level.isupper()
