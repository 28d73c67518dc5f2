"""Who asks: by header, cookie, basic and Laravel's login form, against a real server that lets nobody else in."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from fixtures.environments.live import LiveHost
from fixtures.environments.settings import Environment
from fixtures.observation.facts import Unobserved
from fixtures.observation.pages import Requests, Terms, client_for, get, observe, run_apart
from validations.gate.test_7_page import defect

PAGE = f'<!doctype html><html><body>{"x" * 5000}<p data-sentinel="enhanced-call-view"></p></body></html>'
USER, PASSWORD = "gate@shop.test", "correct horse & battery=staple"
SPOILT: dict[str, Callable[[str], str]] = {
    "no-form": lambda page: page.replace('type="password" name="password"', 'type="password"'),
    "no-token": lambda page: page.replace('name="_token"', 'name="_other"'),
    "by-script": lambda page: page.replace('method="post"', ""),
    "elsewhere": lambda page: page.replace('action="/login"', 'action="http://evil.test/login"'),
}


class Shop(ThreadingHTTPServer):
    """An application with Laravel's login: a token in the form, a session that the token belongs to."""

    daemon_threads = True

    def __init__(self, spoil: str = "", *, answers: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.spoil = spoil
        self.answers = answers
        self.tokens: dict[str, str] = {}
        self.known: set[str] = set()
        self.methods: list[str] = []

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Visit(BaseHTTPRequestHandler):
    """One request."""

    server: Shop

    def do_GET(self) -> None:
        """Show the login page, the page to those who may see it, or the way to the login."""
        self.server.methods.append(self.command)
        if self.path == "/login":
            session, token = secrets.token_hex(8), secrets.token_hex(8)
            self.server.tokens[session] = token
            page = (
                '<html><form action="/search"><input name="q"></form><form action="/login" method="post">'
                f'<input type="hidden" name="_token" value="{token}"><input name="email">'
                '<input type="password" name="password"></form></html>'
            )
            self.say(200, SPOILT.get(self.server.spoil, str)(page), session=session)
        elif self.path == "/soft":
            self.say(200, PAGE if self.allowed() else "<html><input type='password'></html>")
        elif self.allowed():
            self.say(200, PAGE)
        else:
            self.say(302, "", location="/login")

    def do_POST(self) -> None:
        """Let in who brings the token of their session, the name and the password."""
        self.server.methods.append(self.command)
        sent = {name: values[0] for name, values in parse_qs(self.body()).items()}
        if self.server.answers:
            self.say(self.server.answers, "")
        elif sent.get("_token") != self.server.tokens.get(self.cookie("session"), "none"):
            self.say(419, "")
        elif (sent.get("email"), sent.get("password")) == (USER, PASSWORD):
            session = secrets.token_hex(8)
            self.server.known.add(session)
            self.say(302, "", location="/calls", session=session)
        else:
            self.say(302, "", location="/login")

    def body(self) -> str:
        """What was sent."""
        return self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()

    def cookie(self, name: str) -> str:
        """One cookie that was brought."""
        found = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        return found.value if found else ""

    def allowed(self) -> bool:
        """Whether the visitor is known in one of the four ways."""
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        known = self.headers.get("Authorization") in ("Bearer t0ken-of-the-gate", basic)
        return known or self.cookie("session") in self.server.known

    def say(self, status: int, body: str, *, location: str = "", session: str = "") -> None:
        """Answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode())))
        if location:
            self.send_header("Location", location)
        if session:
            self.send_header("Set-Cookie", f"session={session}; path=/; httponly")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(name="shop")
def _shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    shop = Shop(**getattr(request, "param", {}))
    thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield shop
    shop.shutdown()
    shop.server_close()
    thread.join(10)


@pytest.fixture(name="host")
def _host(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LiveHost]:
    """Open the shop as a host, with this authentication."""
    shop.known.add("cookie-of-the-gate")
    values = {"T": "Bearer t0ken-of-the-gate", "C": "cookie-of-the-gate", "U": USER, "P": PASSWORD, "W": "wrong"}
    for name, value in values.items():
        monkeypatch.setenv(f"SHOP_{name}", value)

    def open_host(path: str = "/calls", **authentication: object) -> LiveHost:
        described = {
            "kind": "gateway",
            "url": shop.url,
            "root": "/srv",
            "authentication": authentication,
            "page": {"path": path, "requests": 20, "guest_status": 302, "guest_location": "/login"},
        }
        return LiveHost("shop", "local", Environment.model_validate(described))

    return open_host


WAYS = [
    pytest.param({"kind": "header", "headers": {"Authorization": "env:SHOP_T"}}, id="header"),
    pytest.param({"kind": "cookie", "cookies": {"session": "env:SHOP_C"}}, id="cookie"),
    pytest.param({"kind": "basic", "username": "env:SHOP_U", "password": "env:SHOP_P"}, id="basic"),
    pytest.param({"kind": "form", "username": "env:SHOP_U", "password": "env:SHOP_P"}, id="form"),
]


@pytest.mark.parametrize("way", WAYS)
def test_whoever_is_known_gets_the_page(host: Callable[..., LiveHost], shop: Shop, way: dict[str, object]) -> None:
    """In each of the four ways all answers are the page, the guest is sent away, and nothing but a form is POSTed."""
    seen = host(**way)
    page = seen.page()
    assert [answer for answer in page.answers if not answer.complete] == []
    assert page.guest is not None
    assert (page.guest.status, page.guest.location) == (302, "/login")
    assert shop.methods.count("POST") == (way["kind"] == "form")
    assert set(shop.methods) <= {"GET", "POST"}


def test_a_form_is_sent_once_and_its_session_is_a_secret(host: Callable[..., LiveHost], shop: Shop) -> None:
    """Whatever else is looked at later uses the same session, whose cookie is made known as a secret."""
    seen = host(kind="form", username="env:SHOP_U", password="env:SHOP_P")  # noqa: S106 - a reference
    first = seen._headers()  # noqa: SLF001 - what is sent
    assert first == seen._headers()  # noqa: SLF001
    assert shop.methods == ["GET", "POST"]
    (cookie,) = first.values()
    assert [value for value in seen.secrets() if value in cookie]


@pytest.mark.parametrize(
    ("shop", "password", "reason"),
    [
        pytest.param({}, "env:SHOP_W", "did not take the user name and password", id="wrong-password"),
        pytest.param({}, "env:SHOP_NONE", "env:SHOP_NONE is not set", id="no-password"),
        pytest.param({"answers": 419}, "env:SHOP_P", "did not take the CSRF token", id="token-refused"),
        pytest.param({"answers": 429}, "env:SHOP_P", "too many attempts", id="throttled"),
        pytest.param({"answers": 500}, "env:SHOP_P", "answered 500, but should lead on", id="broken"),
        pytest.param({"answers": 302}, "env:SHOP_P", "leads back to itself", id="no-location"),
        pytest.param({"spoil": "no-form"}, "env:SHOP_P", "a login that works by script, as Filament's", id="no-form"),
        pytest.param({"spoil": "no-token"}, "env:SHOP_P", "has no CSRF token '_token'", id="no-token"),
        pytest.param({"spoil": "by-script"}, "env:SHOP_P", "does not POST", id="by-script"),
        pytest.param({"spoil": "elsewhere"}, "env:SHOP_P", "no password goes there", id="elsewhere"),
    ],
    indirect=["shop"],
)
def test_a_form_that_lets_nobody_in_says_why(
    host: Callable[..., LiveHost], shop: Shop, password: str, reason: str
) -> None:
    """Without a session the page was not observed, for a reason without the password; nothing is sent twice."""
    seen = host(kind="form", username="env:SHOP_U", password=password)
    with pytest.raises(Unobserved, match=reason) as told:
        seen.page()
    assert "wrong" not in str(told.value)
    assert PASSWORD not in str(told.value)
    assert shop.methods.count("POST") <= 1


def test_a_login_page_with_200_is_not_the_page(host: Callable[..., LiveHost], monkeypatch: pytest.MonkeyPatch) -> None:
    """A 200 that asks for a password is told as the login page that it is."""
    monkeypatch.setenv("SHOP_T", "Bearer expired-token")
    seen = host("/soft", kind="header", headers={"Authorization": "env:SHOP_T"})
    found = [defect(answer, seen.environment.page) for answer in seen.page().answers]
    assert {one and one[0] for one in found} == {"page.login"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_what_may_write_is_not_sent(shop: Shop, method: str) -> None:
    """No method but GET and HEAD leaves this machine, whoever asks for it."""

    async def ask() -> None:
        async with client_for(shop.url, {}, 10, Terms()) as client:
            await client.request(method, shop.url)

    with pytest.raises(Exception, match="may write, and only GET and HEAD are sent"):
        run_apart(ask(), Terms().cancellation)
    assert shop.methods == []


def test_one_form_goes_to_one_place_once(shop: Shop) -> None:
    """The client of the login sends its form to that URL alone, and never a second time."""

    async def ask() -> list[str]:
        said = []
        async with client_for(shop.url, {}, 10, Terms(), posts_to=f"{shop.url}/login") as client:
            for path in ("/calls", "/login", "/login"):
                try:
                    said.append(str((await client.post(shop.url + path)).status_code))
                except Exception as reason:  # noqa: BLE001 - compared below
                    said.append(type(reason).__name__)
        return said

    assert run_apart(ask(), Terms().cancellation) == ["NotAsked", "419", "NotAsked"]
    assert shop.methods == ["POST"]


def test_a_budget_is_never_exceeded(shop: Shop) -> None:
    """What is above the budget is an answer with an error, and no request."""
    terms = Terms(requests=Requests(7))
    asked = {"headers": {"Authorization": "Bearer t0ken-of-the-gate"}, "sentinel": "enhanced-call-view"}
    seen = observe(f"{shop.url}/calls", requests=20, timeout_seconds=10, deadline_seconds=30, terms=terms, **asked)  # type: ignore[arg-type]
    assert len(seen.answers) == 20
    assert sum(answer.complete for answer in seen.answers) == 7
    assert sum("the budget of 7 requests to a host was spent" in answer.error for answer in seen.answers) == 13
    assert seen.guest is not None
    assert "budget" in seen.guest.error
    assert shop.methods == ["GET"] * 7


def test_a_host_is_asked_at_its_own_address(shop: Shop) -> None:
    """With an address the connection goes there, and the Host header stays that of the URL."""
    port = shop.url.rpartition(":")[2]
    answer, _ = get(
        "http://shop.test/calls",
        headers={"Authorization": "Bearer t0ken-of-the-gate"},
        sentinel="enhanced-call-view",
        timeout_seconds=10,
        terms=Terms(address=f"127.0.0.1:{port}"),
    )
    assert answer.complete, answer.error
