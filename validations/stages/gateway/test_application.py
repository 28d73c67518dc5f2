"""The application answers as the contract with its checks says, and tells truly what it was booted with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from fixtures.calls.sample import SAMPLE_CALL
from fixtures.gateway.release import Release
from fixtures.gateway.scaffold.application_tree import create_application_directory, minimum_views
from fixtures.gateway.web.application import BootError, create_application, describe

if TYPE_CHECKING:
    from fixtures.gateway.web.application import Application

ENHANCED = f"/calls/{SAMPLE_CALL['call_id']}/enhanced"
BEARER = {"Authorization": "Bearer secret-token"}
AUTO_FIX = "fixtures.gateway.web.auto_fix_view_cache.AutoFixViewCache"


@pytest.fixture(scope="module", name="release")
def _release(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Release:
    env = {"APP_TOKEN": "secret-token", "REDIS_URL": redis_url, "APP_NAME": "Calls"}
    root = create_application_directory(tmp_path_factory.mktemp("app") / "calls", views=minimum_views(), env=env)
    return Release.at(root)


@pytest.fixture(scope="module", name="application")
def _application(release: Release) -> Application:
    return create_application(release)


def request(
    application: Application, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> httpx.Response:
    """Ask once."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://calls") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("path", "headers", "status", "state"),
    [
        ("/", {}, 200, "guest"),
        ("/login", {}, 200, "guest"),
        ("/", BEARER, 200, "operator"),
        (ENHANCED, BEARER, 200, "operator"),
        ("/admin/admin/resources/index", {}, 200, "guest"),
        ("/admin/nope", {}, 404, "guest"),
        ("/admin/../../dashboard", {}, 404, "guest"),
        ("/calls/nobody/enhanced", BEARER, 404, "operator"),
        ("/nope", {}, 404, "guest"),
    ],
    ids=[
        "dashboard",
        "login",
        "dashboard-as-operator",
        "enhanced",
        "admin",
        "no-admin-page",
        "out-of-admin",
        "no-call",
        "nothing",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_page_is_complete_in_its_state(
    application: Application,
    release: Release,
    *,
    path: str,
    headers: dict[str, str],
    status: int,
    state: str,
    method: str,
) -> None:
    """Status, authentication state, the end of the document, and the release that answered."""
    response = request(application, path, method, headers)
    assert response.status_code == status
    assert response.headers["X-Release"] == release.id
    assert response.headers["X-Auto-Fix-View-Cache"] in {"untouched", "repaired"}
    if method == "GET":
        assert f'data-auth="{state}"' in response.text
        assert response.text.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic secret-token"}],
    ids=["nobody", "wrong-token", "wrong-scheme"],
)
def test_the_enhanced_view_sends_strangers_to_the_login(application: Application, headers: dict[str, str]) -> None:
    """Without the operator's token there is a redirect and nothing of the call."""
    response = request(application, ENHANCED, headers=headers)
    assert (response.status_code, response.headers["Location"], response.text) == (302, "/login", "")


def test_up_is_json_without_a_template(application: Application, release: Release) -> None:
    """The health endpoint answers whatever the views are like, with the counts of all workers."""
    told = request(application, "/up").json()
    assert (told["status"], told["release"]) == ("up", release.id)
    assert set(told["opcache"]) == {"server", "workers", "hits", "misses", "time"}


def test_metrics_are_prometheus_text(application: Application) -> None:
    """The five gauges are told in Prometheus' text format."""
    response = request(application, "/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert response.text.count("# TYPE viewgate_gateway_") == 5


def test_an_error_of_a_page_is_the_500_page_and_is_logged(release: Release, caplog: pytest.LogCaptureFixture) -> None:
    """An error that is not of the cache ends in a complete page with 500, the release's name, and a line in the log."""
    application = create_application(release)
    application.service.views.template_globals.pop("app")
    broken = release.views_source / "filament" / "broken.html"
    broken.write_text("{{ nobody.nothing }}")
    try:
        response = request(application, "/admin/broken")
    finally:
        broken.unlink()
    assert (response.status_code, response.headers["X-Release"]) == (500, release.id)
    assert "nobody" not in response.text
    assert any("'nobody' is undefined" in record.message for record in caplog.records)


BOOTSTRAPS = {
    "registered": ("    stack.append(AutoFixViewCache)", True),
    "commented-out": ("    # stack.append(AutoFixViewCache)\n    pass", False),
    "in-a-string": ("    text = 'stack.append(AutoFixViewCache)'", False),
    "removed-later": ("    stack.append(AutoFixViewCache)\n    stack.remove(AutoFixViewCache)", False),
}


@pytest.mark.parametrize(("body", "registered"), BOOTSTRAPS.values(), ids=BOOTSTRAPS.keys())
def test_the_description_is_of_what_was_booted(release: Release, body: str, *, registered: bool) -> None:
    """What is told is the built stack, outermost first: no mention of the middleware in the text fools it."""
    text = release.bootstrap.read_text()
    imports = "from fixtures.gateway.web.auto_fix_view_cache import AutoFixViewCache\n"
    release.bootstrap.write_text(f"{imports}\ndef middleware(stack):\n{body}\n")
    try:
        told = describe(create_application(release))["middleware"]
    finally:
        release.bootstrap.write_text(text)
    assert (AUTO_FIX in told) == registered
    assert told[0] == "fixtures.gateway.web.application.AnnounceRelease"


@pytest.mark.parametrize(
    ("text", "told"),
    [("x = 1", "defines no 'middleware'"), ("def middleware(", "SyntaxError"), ("raise OSError('no')", "OSError: no")],
    ids=["no-middleware", "syntax", "raises"],
)
def test_a_bootstrap_that_cannot_be_executed_is_told_in_one_line(release: Release, text: str, told: str) -> None:
    """The error names the file and the reason."""
    kept = release.bootstrap.read_text()
    release.bootstrap.write_text(text)
    try:
        with pytest.raises(BootError, match=told) as error:
            create_application(release)
    finally:
        release.bootstrap.write_text(kept)
    assert "\n" not in str(error.value)
    assert str(release.bootstrap) in str(error.value)
