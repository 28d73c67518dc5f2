"""What a page answers is seen as it is, over real sockets: blank, cut, slow, refused, redirected, and one in fifty."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fixtures.observation.pages import CONCURRENCY, Answer, PageObservation, get, observe
from fixtures.observation.signatures import PAGE as ON_PAGE
from fixtures.observation.signatures import SIGNATURES
from fixtures.processes import free_port

SENTINEL = 'data-sentinel="enhanced-call-view"'
PAGE = f"<!doctype html><html><body><p>{'x' * 5000}</p><footer {SENTINEL}></footer></body></html>"
Respond = Callable[["Request", int], None]


class Request(BaseHTTPRequestHandler):
    """One request; the server's `respond` answers it."""

    server: Server

    def do_GET(self) -> None:
        """Answer as the test has it; the number of the request counts from 0."""
        self.server.respond(self, next(self.server.numbers))

    def say(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        """Answer whole."""
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A little server whose answers are a function; `released` ends those that hang."""

    daemon_threads = True

    def __init__(self, respond: Respond) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.respond = respond
        self.numbers = itertools.count()
        self.released = threading.Event()
        self.broke: list[BaseException | None] = []

    def handle_error(self, *_visitor: object) -> None:
        """Keep what is wrong with the test's own answer; visitors may hang up."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.broke.append(error)

    @property
    def url(self) -> str:
        """Its page."""
        return f"http://127.0.0.1:{self.server_address[1]}/calls/1/enhanced"


Serve = Callable[[Respond], Server]


@pytest.fixture(name="serve")
def _serve() -> Iterator[Serve]:
    servers: list[tuple[Server, threading.Thread]] = []

    def serve(respond: Respond) -> Server:
        server = Server(respond)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        servers.append((server, thread))
        return server

    yield serve
    for server, thread in servers:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
        assert server.broke == []


def look(
    url: str, *, requests: int = 5, timeout: float = 10.0, deadline: float = 60.0, headers: dict[str, str] | None = None
) -> PageObservation:
    """Observe a page."""
    return observe(
        url,
        headers=headers or {},
        sentinel=SENTINEL,
        requests=requests,
        timeout_seconds=timeout,
        deadline_seconds=deadline,
    )


def whole(request: Request, _number: int = 0) -> None:
    """Answer with the page."""
    request.say(200, PAGE, X_Release="r1", X_Auto_Fix_View_Cache="untouched")


def hang(request: Request, _number: int = 0) -> None:
    """Answer nothing until the test is over."""
    request.server.released.wait(60)


def test_a_whole_page_is_seen_whole(serve: Serve) -> None:
    """Every answer is counted, with what was in it, and the body is kept."""
    seen = look(serve(whole).url, requests=50)
    assert len(seen.answers) == 50
    for answer in seen.answers:
        assert (answer.status, answer.bytes, answer.error) == (200, len(PAGE), "")
        assert answer.complete
        assert (answer.release, answer.auto_fix, answer.signatures) == ("r1", "untouched", ())
    assert seen.body == PAGE
    assert seen.guest is None


@pytest.mark.parametrize(
    ("status", "body", "sentinel", "end"),
    [
        pytest.param(200, "", False, False, id="blank-200"),
        pytest.param(200, PAGE[:-20], True, False, id="cut-at-the-end"),
        pytest.param(200, PAGE[:2000], False, False, id="cut-in-the-middle"),
        pytest.param(200, "<html><form>Log in</form></html>", False, True, id="login-page"),
        pytest.param(500, "<html>Server Error</html>", False, True, id="error-page"),
        pytest.param(503, '{"title": "views"}', False, False, id="problem-document"),
        pytest.param(200, PAGE + "<b>more</b>", True, False, id="something-behind-the-end"),
        pytest.param(200, PAGE + " \n", True, True, id="blanks-behind-the-end"),
    ],
)
def test_an_answer_is_told_as_it_is(serve: Serve, status: int, body: str, *, sentinel: bool, end: bool) -> None:
    """Status, length, sentinel and end are facts of their own: a 200 says nothing of the rest."""
    for answer in look(serve(lambda request, _: request.say(status, body)).url).answers:
        assert (answer.status, answer.bytes) == (status, len(body))
        assert (answer.sentinel, answer.document_end) == (sentinel, end)


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        pytest.param("filemtime(): stat failed", "filemtime(): stat failed for /srv/a.php", id="filemtime"),
        pytest.param("failed to open stream", "require(): Failed to open stream", id="open-stream"),
        pytest.param("File does not exist at path", "File does not exist at path /srv/a.php", id="no-file"),
        pytest.param("rename(): No such file", "rename(/a,/b): No such file or directory", id="rename"),
        pytest.param("touch(): Utime failed", "touch(): Utime failed: No such file or directory", id="touch"),
        pytest.param(
            "tempnam(): file created elsewhere", "tempnam(): file created in the system's temporary directory", id="put"
        ),
        pytest.param("Please provide a valid cache path", "Please provide a valid cache path.", id="cache-path"),
        pytest.param("unexpected end of file", "syntax error, unexpected end of file", id="end-of-file"),
        pytest.param("RootTagMissingFromViewException", "RootTagMissingFromViewException", id="root-tag"),
        pytest.param("No hint path defined", "No hint path defined for [mail]", id="hint-path"),
        pytest.param("jinja2.exceptions", "jinja2.exceptions.UndefinedError: x", id="jinja"),
        pytest.param("TemplateNotFound", "TemplateNotFound: calls/enhanced.html", id="template"),
        pytest.param("Traceback", "Traceback (most recent call last)", id="traceback"),
    ],
)
def test_an_error_in_a_200_is_seen(serve: Serve, signature: str, text: str) -> None:
    """A page that is whole and shows an error's text is told by that text."""
    assert signature in {row.text for row in SIGNATURES if ON_PAGE in row.places}
    body = PAGE.replace("<p>", f"<p>{text}</p><p>")
    for answer in look(serve(lambda request, _: request.say(200, body)).url).answers:
        assert answer.complete
        assert answer.signatures == (signature,)


def test_one_bad_answer_in_fifty_is_counted_and_not_shown(serve: Serve) -> None:
    """A single blank answer, be it the first, stays one of fifty; the body to look into is a whole one."""

    def respond(request: Request, number: int) -> None:
        request.say(200) if number == 0 else whole(request)

    seen = look(serve(respond).url, requests=50)
    assert [answer.bytes for answer in seen.answers].count(0) == 1
    assert len(seen.answers) == 50
    assert seen.body == PAGE


def test_without_a_whole_answer_the_body_is_one_that_came(serve: Serve) -> None:
    """Where no answer is whole, the body to look into is what there was."""
    assert look(serve(lambda request, _: request.say(500, "oops")).url).body == "oops"


def test_a_redirect_is_told_and_not_followed(serve: Serve) -> None:
    """Where the page sends its visitors is a fact; nobody goes there."""
    server = serve(lambda request, _: request.say(302, Location="/login"))
    for answer in look(server.url, requests=3).answers:
        assert (answer.status, answer.location) == (302, "/login")
    assert next(server.numbers) == 3


def test_a_guest_comes_without_the_headers(serve: Serve) -> None:
    """Where headers are configured, one more request is made without them."""

    def respond(request: Request, _number: int) -> None:
        whole(request) if request.headers["Authorization"] == "Bearer t" else request.say(302, Location="/login")

    seen = look(serve(respond).url, headers={"Authorization": "Bearer t"})
    assert {answer.status for answer in seen.answers} == {200}
    assert seen.guest is not None
    assert (seen.guest.status, seen.guest.location) == (302, "/login")


def test_a_refused_connection_is_an_answer_with_an_error() -> None:
    """Each request to a port where nobody listens is counted as failed, and after the first few none is made."""
    seen = look(f"http://127.0.0.1:{free_port()}/", requests=20)
    assert len(seen.answers) == 20
    assert {answer.status for answer in seen.answers} == {0}
    refused = [answer for answer in seen.answers if answer.error.startswith("ConnectError")]
    assert CONCURRENCY <= len(refused) < 2 * CONCURRENCY
    assert {answer.error for answer in seen.answers} - {answer.error for answer in refused} == {
        "not asked: none of the first 8 was answered"
    }
    assert seen.body == ""


def test_a_connection_cut_off_is_an_answer_with_an_error(serve: Serve) -> None:
    """A body shorter than announced is no answer, however much of it came."""

    def respond(request: Request, _number: int) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(PAGE)))
        request.end_headers()
        request.wfile.write(PAGE[:3000].encode())
        request.close_connection = True

    for answer in look(serve(respond).url).answers:
        assert answer.error.startswith("RemoteProtocolError")
        assert not answer.complete


def test_an_answer_that_does_not_come_in_time_is_an_error(serve: Serve) -> None:
    """A request is given up at its timeout."""
    (answer,) = look(serve(hang).url, requests=1, timeout=0.2).answers
    assert "Timeout" in answer.error or "no whole answer within 0.2 s" in answer.error


def trickle(request: Request, _number: int = 0) -> None:
    """Answer a byte at a time, each well within any timeout for reading, and never the end."""
    request.send_response(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    while not request.server.released.wait(0.02):
        request.wfile.write(b"x")


def test_an_answer_that_trickles_is_an_error(serve: Serve) -> None:
    """The timeout is for the whole answer: one that never ends is given up, though it goes on arriving."""
    server = serve(trickle)
    (answer,) = look(server.url, requests=1, timeout=0.3).answers
    assert answer.error == "no whole answer within 0.3 s"
    single, body = get(server.url, headers={}, sentinel=SENTINEL, timeout_seconds=0.3)
    assert (single.error, body) == ("no whole answer within 0.3 s", "")


def test_the_deadline_leaves_no_request_out(serve: Serve) -> None:
    """When the page's time is over, what was not asked is an answer with an error, and none is missing."""
    seen = look(serve(hang).url, requests=40, timeout=30, deadline=0.4)
    assert len(seen.answers) == 40
    assert all(answer.error for answer in seen.answers)
    assert {answer.error for answer in seen.answers if answer.error.startswith("not asked")} == {
        "not asked: the page's 0.4 s were over"
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/html; charset=hex"},
        {"Content_Type": "text/html; charset=no-such"},
        {"Content_Encoding": "gzip"},
    ],
    ids=["charset-no-text", "charset-unknown", "not-compressed"],
)
def test_an_answer_that_lies_about_itself_is_an_answer(serve: Serve, headers: dict[str, str]) -> None:
    """A header that does not fit the body raises nothing; the answer is told, or the error."""
    answers = look(serve(lambda request, _: request.say(200, PAGE, **headers)).url).answers
    assert len(answers) == 5
    assert all(answer.complete or answer.error for answer in answers)


def test_a_url_that_is_none_is_an_answer_with_an_error() -> None:
    """A URL that cannot be asked is told by each answer."""
    assert all(answer.error for answer in look("http://[/").answers)


def test_a_credential_that_cannot_be_sent_is_not_repeated(serve: Serve) -> None:
    """A header with a line break in it is an error that does not show its value."""
    seen = look(serve(whole).url, headers={"Authorization": "Bearer s3cr3t\nmore"})
    for answer in seen.answers:
        assert "cannot be sent" in answer.error
        assert "s3cr3t" not in answer.error


def test_a_single_request_tells_answer_and_body(serve: Serve) -> None:
    """One request is told like many, with its body."""
    answer, body = get(serve(whole).url, headers={}, sentinel=SENTINEL, timeout_seconds=10)
    assert isinstance(answer, Answer)
    assert answer.complete
    assert body == PAGE


@pytest.mark.parametrize("at", [pytest.param(0, id="first-request"), pytest.param(20, id="in-the-middle")])
def test_an_interrupt_ends_the_observation(serve: Serve, at: int) -> None:
    """An interrupt while a page is being asked for reaches whoever asked, and is never lost or taken for an answer."""

    def interrupt_us(request: Request, number: int) -> None:
        if number == at:
            os.kill(os.getpid(), signal.SIGINT)
        hang(request) if number >= at else whole(request)

    # Whoever runs the tests in the background may have SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            look(serve(interrupt_us).url, requests=40, timeout=30)
    finally:
        signal.signal(signal.SIGINT, before)
