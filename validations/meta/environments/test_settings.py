"""environments.toml: every mistake is one line that says where, what was found, and what is allowed."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.environments.__main__ import as_toml
from fixtures.environments.settings import (
    AUTHENTICATIONS,
    TABLES,
    BasicAuthentication,
    Deployment,
    Environment,
    HeaderAuthentication,
    Objectives,
    Page,
    SecretUnavailable,
    SettingsError,
    environments_file,
    load,
    secret,
)
from fixtures.environments.stage import runtime_user
from fixtures.observation.gateway_probe import CannotLook, as_user

GOOD = """\
[environments.shop]
kind = "gateway"
url = "https://shop.example/"
root = "/srv/shop/current"
production = true
redis_url = "env:SHOP_REDIS"

[environments.shop.page]
requests = 50

[environments.shop.authentication]
kind = "header"
headers = { Authorization = "file:/run/secrets/token" }

[environments.other]
kind = "gateway"
url = "http://other.example"
root = "/srv/other"
"""
PAGE = "[environments.shop.page]"
HIDDEN = "s3cr3t"


def said_of(folder: Path, text: str | bytes, name: str = "shop") -> str:
    """Write environments.toml and return the error of loading an environment from it."""
    file = folder / "environments.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        load(name, file=file, folder=folder)
    said = str(caught.value)
    assert "\n" not in said
    return said.replace(str(file), "FILE")


def with_line(key: str, value: str) -> str:
    """Return the good file with a key of the environment itself set."""
    table, rest = GOOD.split("\n\n", 1)
    lines = [line for line in table.splitlines() if not line.startswith(f"{key} ")]
    return "\n".join([lines[0], f"{key} = {value}", *lines[1:], "", rest])


def in_page(line: str) -> str:
    """Return the good file with another line in the page's table, as its line 9."""
    return GOOD.replace("requests = 50", line)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """What stands there is what is used; what does not is the default."""
    (tmp_path / "environments.toml").write_text(GOOD, encoding="utf-8")
    shop = load("shop", file=tmp_path / "environments.toml", folder=tmp_path)
    assert (shop.url, shop.root, shop.production) == ("https://shop.example", "/srv/shop/current", True)
    assert (shop.page.requests, shop.page.timeout_seconds) == (50, 10.0)
    assert shop.objectives.compiled_views == 682


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            with_line("kind", '"rails"'),
            "FILE:2: SHOP.kind: Input should be 'gateway' or 'laravel', but found 'rails'",
            id="kind",
        ),
        pytest.param(
            with_line("root", '"srv"'),
            "FILE:2: SHOP.root: a path on the host starts with /, but found 'srv'",
            id="relative-root",
        ),
        pytest.param(
            with_line("root", "7"), "FILE:2: SHOP.root: Input should be a valid string, but found 7", id="wrong-type"
        ),
        pytest.param(
            with_line("production", '"no"'),
            "FILE:2: SHOP.production: Input should be a valid boolean, but found 'no'",
            id="words-for-false",
        ),
        pytest.param(
            with_line("url", '"ftp://shop"'),
            "FILE:2: SHOP.url: a URL starts with http:// or https:// and names a host, but found 'ftp://shop'",
            id="url-scheme",
        ),
        pytest.param(with_line("url", '"https://"'), "names a host, but found 'https://'", id="url-without-host"),
        pytest.param(with_line("url", '"http://shop:99999"'), "SHOP.url: Port out of range 0-65535", id="url-port"),
        pytest.param(with_line("url", '"http://shop:0"'), "SHOP.url: a URL's port is 1 to 65535", id="url-port-zero"),
        pytest.param(with_line("url", '"http://["'), "SHOP.url: Invalid IPv6 URL", id="url-of-no-host"),
        pytest.param(with_line("hosts", "[]"), "FILE:2: SHOP.hosts: Tuple should have at least 1 item", id="no-hosts"),
        *(
            pytest.param(
                with_line("hosts", f'["{host}"]'),
                "SHOP.hosts.0: a host is 'local', or one of ssh://[user@]host[:port], docker://[user@]container, "
                f"podman://[user@]container, kubectl://pod, but found '{host}'",
                id=slug,
            )
            for slug, host in {
                "host-of-no-form": "web-1",
                "host-of-another-form": "salt://web-1",
                "host-without-name": "ssh://",
                "host-with-path": "ssh://web-1/srv",
                "host-port-zero": "ssh://web-1:0",
                "docker-port": "docker://app:22",
            }.items()
        ),
        pytest.param(
            with_line("hosts", '["ssh://-oProxyCommand=x"]'), "must not start with '-'", id="host-is-an-option"
        ),
        pytest.param(with_line("hosts", '["docker://-v@app"]'), "must not start with '-'", id="user-is-an-option"),
        pytest.param(with_line("hosts", '["ssh://web-1:99999"]'), "Port out of range 0-65535", id="host-port"),
        pytest.param(
            with_line("hosts", '["ssh://web-1?color=1"]'),
            "SHOP.hosts.0: 'color' is no option of a ssh host; allowed: controlpersist, ssh_config, ",
            id="host-option",
        ),
        pytest.param(
            with_line("hosts", '["ssh://web-1?timeout=soon"]'),
            "SHOP.hosts.0: timeout of a host is whole seconds above 0",
            id="host-timeout",
        ),
        pytest.param(with_line("hosts", '["ssh://web-1?timeout"]'), "SHOP.hosts.0: bad query field", id="host-query"),
        pytest.param(with_line("hosts", '["local", "local"]'), "SHOP.hosts: 'local' is named twice", id="host-twice"),
        pytest.param(
            with_line("panels", '["admin", "admin"]'), "SHOP.panels: 'admin' is named twice", id="panel-twice"
        ),
        pytest.param(
            with_line("panels", '["the admin"]'), "SHOP.panels.0: String should match pattern", id="panel-no-id"
        ),
        pytest.param(
            with_line("ulr", '"x"'),
            "FILE:2: SHOP.ulr: Extra inputs are not permitted; allowed: address, authentication, budget, ",
            id="unknown-key",
        ),
        pytest.param(
            in_page("request = 50"),
            "FILE:9: SHOP.page.request: Extra inputs are not permitted; allowed: deadline_seconds, guest_location, ",
            id="unknown-key-of-page",
        ),
        pytest.param(
            in_page("requests = 0"),
            "FILE:9: SHOP.page.requests: Input should be greater than or equal to 1, but found 0",
            id="no-requests",
        ),
        pytest.param(
            in_page("requests = 1.5"),
            "FILE:9: SHOP.page.requests: Input should be a valid integer",
            id="half-a-request",
        ),
        pytest.param(
            in_page("deadline_seconds = inf"),
            "FILE:9: SHOP.page.deadline_seconds: Input should be a finite number",
            id="no-deadline",
        ),
        pytest.param(
            in_page("timeout_seconds = nan"), "SHOP.page.timeout_seconds: Input should be a finite number", id="nan"
        ),
        pytest.param(
            in_page("status = 0"),
            "FILE:9: SHOP.page.status: Input should be greater than or equal to 100, but found 0",
            id="no-status",
        ),
        pytest.param(
            in_page('sentinel = ""'),
            "FILE:9: SHOP.page.sentinel: String should have at least 1 character",
            id="no-sentinel",
        ),
        pytest.param(
            in_page("least_bytes = 2024-01-01"),
            "FILE:9: SHOP.page.least_bytes: Input should be a valid integer, but found '2024-01-01'",
            id="date",
        ),
        pytest.param(GOOD.replace('url = "https://shop.example/"\n', ""), "SHOP.url: Field required", id="url-missing"),
        pytest.param("environments.shop = 7", "SHOP: Input should be an object, but found 7", id="no-table"),
        pytest.param(
            GOOD.replace(PAGE, f"[environments.shop.objectives]\navailability = 2\n{PAGE}"),
            "FILE:9: SHOP.objectives.availability: Input should be less than or equal to 1, but found 2",
            id="objective-out-of-range",
        ),
        pytest.param(
            with_line("authentication", '{ kind = "ldap" }').replace("[environments.shop.authentication]", "[x]"),
            "FILE: 'x' does not belong here",
            id="stray-table",
        ),
        pytest.param(
            GOOD.replace('kind = "header"', 'kind = "ldap"'),
            "FILE:11: SHOP.authentication: Input tag 'ldap' found using 'kind' does not match any of the expected "
            "tags: 'header', 'cookie', 'basic', 'form'; allowed: kind = header, cookie, basic, form",
            id="another-authentication",
        ),
        pytest.param(
            GOOD.replace('kind = "header"', 'kind = "form"'),
            "FILE:11: SHOP.authentication.username: Field required (and 2 more)",
            id="authentication-incomplete",
        ),
        pytest.param(
            GOOD.replace('kind = "header"', 'kind = "header"\nuser = "me"'),
            "FILE:13: SHOP.authentication.user: Extra inputs are not permitted; allowed: headers, kind",
            id="authentication-key",
        ),
        pytest.param(
            in_page("guest_status = 302").replace("[environments.shop.authentication]", "[environments.other.z]"),
            "FILE:1: SHOP: page.guest_status sets guests apart, so authentication has to say who is none",
            id="guests-of-an-open-page",
        ),
        pytest.param(
            GOOD.replace(PAGE, f"[environments.shop.budget]\nrequests = 50\n{PAGE}"),
            "FILE:1: SHOP: budget.requests allows 50 requests, and the pages need 51",
            id="budget-too-small",
        ),
        pytest.param(
            GOOD.replace(PAGE, f"[environments.shop.budget]\nseconds = 0\n{PAGE}"),
            "FILE:9: SHOP.budget.seconds: Input should be greater than 0, but found 0",
            id="no-time",
        ),
        pytest.param(
            GOOD.replace(PAGE, f'[environments.shop.laravel]\nphp = "php8.3"\n{PAGE}'),
            "FILE:1: SHOP: a table laravel goes with kind = 'laravel'",
            id="laravel-of-a-gateway",
        ),
        pytest.param(
            GOOD.replace(PAGE, f'[environments.shop.laravel]\nphp8 = "x"\n{PAGE}'),
            "FILE:9: SHOP.laravel.php8: Extra inputs are not permitted; allowed: lock, lock_store, php, ",
            id="laravel-key",
        ),
        pytest.param(
            GOOD.replace(PAGE, f'[environments.shop.disclosure]\nmarkup = "filament"\n{PAGE}'),
            "FILE:8: SHOP.disclosure: markup = 'filament' needs tiers = [tier 2, tier 3, tier 4]",
            id="sections-unnamed",
        ),
        pytest.param(
            GOOD.replace(PAGE, f'[environments.shop.disclosure]\nfield = ".x"\n{PAGE}'),
            "FILE:8: SHOP.disclosure: markup = 'viewgate' is fixed",
            id="selectors-for-our-markup",
        ),
        pytest.param(
            GOOD.replace(PAGE, f'[[environments.shop.pages]]\nname = "a"\npath = "/a"\nvisitor = "admin"\n{PAGE}'),
            "FILE:11: SHOP.pages.0.visitor: Input should be 'user' or 'guest', but found 'admin'",
            id="visitor",
        ),
        pytest.param(
            GOOD.replace(PAGE, 2 * '[[environments.shop.pages]]\nname = "a"\npath = "/"\nvisitor = "guest"\n' + PAGE),
            "SHOP: 'a' is named twice",
            id="page-twice",
        ),
        pytest.param(
            with_line("marks", '["middleware", "version"]'),
            "FILE:2: SHOP.marks.1: Input should be 'middleware' or 'release', but found 'version'",
            id="mark",
        ),
        pytest.param(
            with_line("kind", '7\nroot = "x"').replace('root = "/srv/shop/current"\n', ""),
            "(and 1 more)",
            id="two-mistakes",
        ),
    ],
)
def test_a_mistake_in_an_environment_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    """File, line, key, what was found and what is allowed stand in one line."""
    assert said in said_of(tmp_path, text).replace("environments.shop", "SHOP")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[environments.shop\nkind = 1", "FILE is not TOML: ", id="syntax"),
        pytest.param(GOOD + GOOD, "FILE is not TOML: ", id="table-twice"),
        pytest.param(
            b"# caf\xe9\n" + GOOD.encode(), "FILE is not UTF-8: invalid continuation byte at byte 5", id="latin-1"
        ),
        pytest.param("", "FILE describes no environment: write a table [environments.NAME]", id="empty"),
        pytest.param("[environments]", "FILE describes no environment", id="empty-table"),
        pytest.param("environments = 7", "FILE describes no environment", id="no-table"),
        pytest.param("[shop]\nkind = 'gateway'", "FILE: 'shop' does not belong here; every table is [env", id="stray"),
        pytest.param(GOOD + "[environments.staged]\n", "FILE: the name 'staged' is taken", id="name-taken"),
        pytest.param('[environments."my shop"]\nkind = "gateway"', "unknown environment 'shop'", id="another-name"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    """A file that is no TOML, no text, or no description of environments is refused as a whole."""
    assert said in said_of(tmp_path, text)


def test_a_syntax_error_is_told_with_its_line(tmp_path: Path) -> None:
    """The line of a mistake in the syntax is in the message."""
    assert "(at line 3" in said_of(
        tmp_path, GOOD.replace('url = "https://shop.example/"', 'url = "https://shop.example/')
    )


def test_a_name_that_cannot_be_an_id_is_refused(tmp_path: Path) -> None:
    """An environment's name becomes part of tests' ids."""
    said = said_of(tmp_path, GOOD.replace("environments.shop", 'environments."my shop"'), name="my shop")
    assert "the name 'my shop' cannot be used: letters, digits, - and _ are allowed" in said


def test_an_unknown_environment_lists_the_known(tmp_path: Path) -> None:
    """A misspelt name gets the names there are: of the file, of stages kept up, and the staged one."""
    (tmp_path / ".viewgate").mkdir()
    (tmp_path / ".viewgate" / "kept.toml").touch()
    said = said_of(tmp_path, GOOD, name="shpo")
    assert said.startswith("unknown environment 'shpo': it stands neither in FILE nor among the stages kept up")
    assert said.endswith("known here: staged, laravel, shop, other, kept")


def test_an_unknown_environment_without_a_file_says_so(tmp_path: Path) -> None:
    """Where there is no file at all, that is the reason."""
    with pytest.raises(
        SettingsError, match=r"unknown environment 'shop': there is no .*/none.toml; known here: staged, laravel$"
    ):
        load("shop", file=tmp_path / "none.toml", folder=tmp_path)


def _directory(file: Path) -> None:
    file.mkdir()


def _closed_file(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    file.chmod(0o000)


def _closed_folder(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    file.parent.chmod(0o600)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(_directory, "environments.toml cannot be read: Is a directory", id="directory"),
        pytest.param(_closed_file, "environments.toml cannot be read: Permission denied", id="unreadable-file"),
        pytest.param(_closed_folder, "environments.toml cannot be read: Permission denied", id="unreadable-folder"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_file_that_cannot_be_read_is_one_line(open_folder: Path, spoil: Callable[[Path], None], said: str) -> None:
    """A file out of reach is told by its path and the system's reason; looked at as somebody who is not root."""
    folder = open_folder / "settings"
    folder.mkdir()
    spoil(folder / "environments.toml")

    def attempt() -> None:
        try:
            load("shop", file=folder / "environments.toml", folder=open_folder)
        except SettingsError as error:
            raise CannotLook(str(error)) from None

    with pytest.raises(CannotLook, match=said):
        as_user(runtime_user(), attempt)
    folder.chmod(0o700)


@pytest.mark.parametrize(
    "text",
    [
        with_line("redis_url", f'"redis://:{HIDDEN}@host:6379/0"'),
        with_line("redis_url", f'["{HIDDEN}"]'),
        with_line("url", f'"https://user:{HIDDEN}@shop.example"'),
        with_line("url", f'"ftp://user:{HIDDEN}@shop.example"'),
        GOOD.replace("file:/run/secrets/token", f"Bearer {HIDDEN}"),
        GOOD.replace('"file:/run/secrets/token"', f'["{HIDDEN}"]'),
        GOOD.replace('{ Authorization = "file:/run/secrets/token" }', f'"Bearer {HIDDEN}"'),
        with_line("hosts", f'["ssh://root:{HIDDEN}@web-1"]'),
        GOOD.replace('kind = "header"', f'kind = "basic"\nusername = "env:U"\npassword = "{HIDDEN}"'),
        GOOD.replace('kind = "header"', f'kind = "cookie"\ncookies = {{ session = "{HIDDEN}" }}'),
    ],
    ids=[
        "redis-url",
        "redis-url-list", "credentials-in-url", "credentials-in-wrong-url",
        "header", "header-list", "headers-text", "password-in-host", "password", "cookie",
    ],
)  # fmt: skip
def test_a_secret_in_place_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    """A password written where its reference belongs is an error that does not show it."""
    said = said_of(tmp_path, text)
    assert said.startswith("FILE:")
    assert HIDDEN not in said
    assert re.search("secret|password", said)


@pytest.mark.parametrize(
    "reference",
    ["", "env:", "file:", "vault:x", "TOKEN", "ENV:TOKEN"],
    ids=["empty", "env-alone", "file-alone", "another-kind", "name-alone", "upper-case"],
)
def test_what_is_no_reference_is_refused(tmp_path: Path, reference: str) -> None:
    """A secret is env:NAME or file:PATH, and nothing else."""
    assert "a secret is a reference: env:NAME or file:PATH" in said_of(
        tmp_path, with_line("redis_url", f'"{reference}"')
    )


def test_a_secret_is_read_where_its_reference_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable or a file holds the value; blanks around it are no part of it."""
    monkeypatch.setenv("VIEWGATE_TEST_TOKEN", HIDDEN)
    (tmp_path / "token").write_text(f"  {HIDDEN}\n", encoding="utf-8")
    assert secret("env:VIEWGATE_TEST_TOKEN") == HIDDEN
    assert secret(f"file:{tmp_path / 'token'}") == HIDDEN


def test_a_reference_that_leads_nowhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing or empty variable or file is named by its reference, with a remedy where there is one."""
    monkeypatch.delenv("VIEWGATE_TEST_TOKEN", raising=False)
    with pytest.raises(SecretUnavailable, match="env:VIEWGATE_TEST_TOKEN is not set: export VIEWGATE_TEST_TOKEN"):
        secret("env:VIEWGATE_TEST_TOKEN")
    monkeypatch.setenv("VIEWGATE_TEST_TOKEN", "")
    with pytest.raises(SecretUnavailable, match="is not set"):
        secret("env:VIEWGATE_TEST_TOKEN")
    with pytest.raises(SecretUnavailable, match="cannot be read: No such file"):
        secret(f"file:{tmp_path / 'none'}")
    with pytest.raises(SecretUnavailable, match="cannot be read: Is a directory"):
        secret(f"file:{tmp_path}")
    (tmp_path / "empty").write_text(" \n", encoding="utf-8")
    with pytest.raises(SecretUnavailable, match="is empty"):
        secret(f"file:{tmp_path / 'empty'}")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SecretUnavailable, match="is not UTF-8"):
        secret(f"file:{tmp_path / 'binary'}")


def test_the_option_outranks_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--environments, then VIEWGATE_ENVIRONMENTS, then the current folder's file."""
    monkeypatch.setenv("VIEWGATE_ENVIRONMENTS", "elsewhere.toml")
    assert environments_file("mine.toml", tmp_path) == tmp_path / "mine.toml"
    assert environments_file(None, tmp_path) == tmp_path / "elsewhere.toml"
    monkeypatch.delenv("VIEWGATE_ENVIRONMENTS")
    assert environments_file(None, tmp_path) == tmp_path / "environments.toml"
    assert environments_file(os.fspath(tmp_path / "absolute.toml"), Path("/elsewhere")) == tmp_path / "absolute.toml"


WORD = st.text("abcxyzäß\"'\\ \t#=[]€😀", min_size=1, max_size=12)
environments = st.builds(
    Environment,
    kind=st.sampled_from(["gateway", "laravel"]),
    url=st.sampled_from(["http://127.0.0.1:8000", "https://shop.example/base"]),
    root=WORD.map("/srv/{}".format),
    runtime_user=st.none() | WORD,
    redis_url=st.none() | WORD.map("file:/{}".format),
    hosts=st.lists(st.sampled_from(["local", "ssh://a@b:22?timeout=9", "docker://c"]), min_size=1, unique=True).map(
        tuple
    ),
    panels=st.none() | st.lists(st.from_regex(r"\A[a-z_-]{1,8}\Z"), max_size=3, unique=True).map(tuple),
    deployment=st.builds(Deployment, dry_run=st.booleans(), path=WORD),
    authentication=st.builds(
        HeaderAuthentication,
        kind=st.just("header"),
        headers=st.dictionaries(
            st.from_regex(r"\A[A-Za-z][A-Za-z-]{0,8}\Z"), WORD.map("env:{}".format), min_size=1, max_size=2
        ),
    )
    | st.builds(
        BasicAuthentication, kind=st.just("basic"), username=st.just("env:U"), password=WORD.map("file:{}".format)
    ),
    page=st.builds(
        Page,
        path=WORD.map("/{}".format),
        guest_status=st.none() | st.integers(100, 599),
        sentinel=WORD,
        timeout_seconds=st.floats(0.001, 1e9),
    ),
    objectives=st.builds(Objectives, availability=st.floats(0.001, 1)),
)


@given(environments)
def test_a_stage_describes_itself_as_it_is(environment: Environment) -> None:
    """What a kept stage writes is read back as the same environment, whatever stands in its texts."""
    table = tomllib.loads(as_toml("kept-1", environment))
    assert list(table) == ["environments"]
    read = Environment.model_validate(table["environments"]["kept-1"], strict=False)
    assert read == environment


def test_a_kept_stage_is_found_by_its_name(tmp_path: Path) -> None:
    """A stage that describes itself in .viewgate is an environment, with or without environments.toml."""
    kept = Environment(kind="gateway", url="http://127.0.0.1:1", root="/tmp/x", redis_url="file:/tmp/y")  # noqa: S108
    (tmp_path / ".viewgate").mkdir()
    (tmp_path / ".viewgate" / "kept.toml").write_text(as_toml("kept", kept), encoding="utf-8")
    assert load("kept", file=tmp_path / "environments.toml", folder=tmp_path) == kept
    (tmp_path / "environments.toml").write_text(GOOD, encoding="utf-8")
    assert load("kept", file=tmp_path / "environments.toml", folder=tmp_path) == kept
    assert "kept" in said_of(tmp_path, GOOD, name="other-one").partition("known here: ")[2]


EXAMPLE = Path(__file__).resolve().parents[3] / "fixtures" / "environments" / "environments.example.toml"


@pytest.mark.parametrize("name", tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["environments"])
def test_every_environment_of_the_example_is_one(tmp_path: Path, name: str) -> None:
    """What a user copies from the example can be used as it stands."""
    assert load(name, file=EXAMPLE, folder=tmp_path).url


def test_the_example_names_every_key_and_tells_its_default() -> None:
    """Each key of each table stands in the example, and a default that is told there is the default."""
    named = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["environments"]
    assert set(named["production"]) == set(Environment.model_fields)
    for table, model in TABLES.items():
        written = named["production"][table]
        keys = set().union(*written) if isinstance(written, list) else set(written)
        assert keys == set(model.model_fields), table
    kinds = {environment["authentication"]["kind"]: environment["authentication"] for environment in named.values()}
    assert {kind: set(keys) for kind, keys in kinds.items()} == {
        kind: set(model.model_fields) for kind, model in AUTHENTICATIONS.items()
    }
    for table in ("page", "objectives", "budget"):
        told = {key: value for key, value in named["production"][table].items() if not key.startswith("guest_")}
        assert told == {key: value for key, value in TABLES[table]().model_dump().items() if key in told}


def test_every_reference_to_a_secret_is_known(tmp_path: Path) -> None:
    """Redaction learns each secret of an environment, however it authenticates."""
    found = [
        load(name, file=EXAMPLE, folder=tmp_path).secrets for name in ("production", "staging", "session", "preview")
    ]
    assert found == [
        ("env:SHOP_REDIS_URL", "env:SHOP_GATE_USER", "file:/run/secrets/shop-gate-password"),
        ("env:SHOP_AUTHORIZATION",),
        ("file:/run/secrets/shop-session",),
        ("env:PREVIEW_USER", "env:PREVIEW_PASSWORD"),
    ]
