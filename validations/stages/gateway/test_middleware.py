"""AutoFixViewCache heals during a request: once, only what is of the cache, and never by a second POST."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from fixtures.gateway.web.auto_fix_view_cache import AutoFixViewCache

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, MutableMapping

    from starlette.requests import Request

    from fixtures.gateway.views.view_cache_service import ViewCacheService
    from validations.stages.gateway.conftest import Place

HEADER = "X-Auto-Fix-View-Cache"


class Site:
    """An application behind the middleware, whose one page does what a test says."""

    def __init__(self, place: Place, endpoint: Any = None, *, copies: int = 1) -> None:
        self.service: ViewCacheService = place.service()
        self.service.rebuild()
        self.rendered = 0
        self.app = Starlette(
            routes=[Route("/", endpoint or self.page, methods=["GET", "POST"])],
            middleware=[Middleware(AutoFixViewCache)] * copies,
            exception_handlers={404: self.error_page},
        )
        self.app.state.view_cache_service = self.service

    async def page(self, _request: Request) -> Response:
        """Render the page."""
        self.rendered += 1
        return HTMLResponse(self.service.views.render("page.html", {"name": "you"}))

    async def error_page(self, _request: Request, _error: Exception) -> Response:
        """Render an error page."""
        return HTMLResponse(self.service.views.render("page.html"), 404)

    def request(self, method: str = "GET", path: str = "/") -> httpx.Response:
        """Ask once."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
                return await client.request(method, path)

        return asyncio.run(ask())


class Failing:
    """A page that meets an error of the cache the first so many times."""

    def __init__(self, place: Place, times: int, error: Callable[[], Exception] | None = None) -> None:
        self.asked = 0
        self._times = times
        self._error = error or (
            lambda: FileNotFoundError(2, "No such file or directory", str(place.directory / "current" / "x.view"))
        )

    async def __call__(self, _request: Request) -> Response:
        """Fail, or answer."""
        self.asked += 1
        if self.asked <= self._times:
            raise self._error()
        return PlainTextResponse("complete")


def failing(place: Place, times: int, error: Callable[[], Exception] | None = None) -> tuple[Site, Failing]:
    """Give a site with such a page."""
    page = Failing(place, times, error)

    async def endpoint(request: Request) -> Response:
        return await page(request)

    return Site(place, endpoint), page


def test_a_request_that_needs_no_fix_is_untouched(place: Place) -> None:
    """The page is rendered once, and the header says that nothing was done."""
    site = Site(place)
    response = site.request()
    assert (response.status_code, response.headers[HEADER], site.rendered) == (200, "untouched", 1)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_damage_that_a_page_meets_is_repaired_before_it_is_answered(place: Place, method: str, damage: str) -> None:
    """The answer is complete, the file is intact again when it arrives, and the page was rendered once."""
    site = Site(place)
    path = place.compiled("layout.html")
    if damage == "missing":
        path.unlink()
    else:
        os.truncate(path, 30)
    response = site.request(method)
    assert (response.status_code, response.headers[HEADER], site.rendered) == (200, "repaired", 1)
    assert [view.name for view in place.views().inventory().defects] == []
    assert site.request(method).headers[HEADER] == "untouched"


def test_without_the_middleware_pages_are_complete_and_the_file_stays_broken(place: Place) -> None:
    """So whoever looks from outside can tell whether the middleware is there."""
    site = Site(place, copies=0)
    path = place.compiled("layout.html")
    path.unlink()
    response = site.request()
    assert response.text == "<html>Hello you<footer>v1</footer></html>"
    assert HEADER not in response.headers
    assert not path.exists()


def test_damage_that_cannot_be_repaired_is_served_and_told(place: Place) -> None:
    """With the directory's place taken the page is complete, and the header says that the repair failed."""
    site = Site(place)
    live = place.directory / "current"
    path = place.compiled("layout.html")
    path.unlink()
    live.resolve().rename(place.root / "elsewhere")
    live.resolve().write_text("a file")
    response = site.request()
    assert (response.status_code, response.headers[HEADER]) == (200, "failed")
    assert response.text.endswith("</html>")


def test_error_pages_are_skipped(place: Place) -> None:
    """Damage that an error page meets is left to the next layer: no loops through error handling."""
    site = Site(place)
    path = place.compiled("layout.html")
    path.unlink()
    response = site.request(path="/nope")
    assert (response.status_code, response.headers[HEADER]) == (404, "untouched")
    assert not path.exists()


@pytest.mark.parametrize(("times", "outcome"), [(1, "retried"), (2, "aggressive")], ids=["once", "twice"])
def test_an_error_of_the_cache_is_followed_by_a_fix_and_another_try(place: Place, times: int, outcome: str) -> None:
    """First the repair, then the aggressive fix; each is followed by one try."""
    site, page = failing(place, times)
    before = site.service.views.generation.target
    response = site.request()
    assert (response.status_code, response.text, response.headers[HEADER]) == (200, "complete", outcome)
    assert page.asked == times + 1
    assert (site.service.views.generation.target != before) == (outcome == "aggressive")


def test_what_no_fix_helps_ends_in_a_problem_document(place: Place) -> None:
    """RFC 9457: 503 with Retry-After and JSON, never a rendered view, after three tries and no more."""
    site, page = failing(place, 99)
    response = site.request()
    assert (response.status_code, response.headers[HEADER], page.asked) == (503, "failed", 3)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert int(response.headers["Retry-After"]) > 0
    assert response.json()["status"] == 503


def test_an_unsafe_method_is_never_tried_twice(place: Place) -> None:
    """A POST that met an error of the cache is followed by a fix and the problem document."""
    site, page = failing(place, 1)
    response = site.request("POST")
    assert (response.status_code, page.asked) == (503, 1)
    assert site.request("POST").text == "complete"


def test_an_error_that_is_not_of_the_cache_is_not_ours(place: Place) -> None:
    """It goes on to where errors go, after one try."""
    site, page = failing(place, 1, lambda: FileNotFoundError(2, "No such file or directory", "/etc/nope"))
    with pytest.raises(FileNotFoundError):
        site.request()
    assert page.asked == 1


def test_an_error_that_was_caused_by_the_cache_is_ours(place: Place) -> None:
    """The chain of causes is followed."""

    def error() -> Exception:
        wrapped = RuntimeError("the page failed")
        wrapped.__cause__ = EOFError("marshal data too short")
        return wrapped

    site, _ = failing(place, 1, error)
    assert site.request().headers[HEADER] == "retried"


def test_a_copy_inside_does_not_fix_again(place: Place) -> None:
    """The request attribute prevents loops: with the middleware twice in the stack, there are still three tries."""
    page = Failing(place, 99)

    async def endpoint(request: Request) -> Response:
        return await page(request)

    assert Site(place, endpoint, copies=2).request().status_code == 503
    assert page.asked == 3


def test_a_response_that_has_begun_is_not_tried_again(place: Place) -> None:
    """What has been sent cannot be taken back: the error ends the stream."""
    asked = []

    async def body() -> AsyncIterator[bytes]:
        asked.append(1)
        yield b"first"
        raise FileNotFoundError(2, "No such file or directory", str(place.directory / "x"))

    async def endpoint(_request: Request) -> Response:
        return StreamingResponse(body())

    with pytest.raises(FileNotFoundError):
        Site(place, endpoint).request()
    assert asked == [1]


def test_damage_that_a_streamed_body_meets_is_repaired_for_the_next_request(place: Place) -> None:
    """The header went before the damage was met; the file is intact when the body has ended."""
    site = Site(place)

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        yield site.service.views.render("page.html").encode()

    async def endpoint(_request: Request) -> Response:
        return StreamingResponse(body())

    site.app.router.routes[:] = [Route("/", endpoint)]
    path = place.compiled("layout.html")
    path.unlink()
    response = site.request()
    assert response.headers[HEADER] == "untouched"
    assert response.text.endswith("</html>")
    assert path.exists()


def test_a_client_that_has_gone_gets_no_problem_document(place: Place) -> None:
    """After a disconnect nothing is sent."""
    sent: list[MutableMapping[str, Any]] = []
    page = Failing(place, 99)

    async def endpoint(request: Request) -> Response:
        assert await request.is_disconnected()
        return await page(request)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "http_version": "1.1"}
    asyncio.run(Site(place, endpoint).app(scope, receive, send))
    assert sent == []
    assert page.asked >= 1
