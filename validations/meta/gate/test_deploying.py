"""The rules of a deployment's order, on deployments as people write them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.observation.reading.deployment import KINDS, Place, read
from fixtures.profiles import Profile
from validations.deploying import Ruling, ruled
from validations.meta.gate.deployment_scripts import CLEARING, ROOT, SAFE, UNSAFE, Case


def ruling(case: Case) -> Ruling:
    """Return what a case comes to, on a host of which nothing but the application's root is known."""
    place = Place(roots=(f"{ROOT}/current", ROOT), optimize_warms=True)
    return ruled(read(case.text, kind=case.kind, path=case.path, root=case.root, files=case.files, place=place))


@pytest.mark.parametrize("case", UNSAFE, ids=[case.slug for case in UNSAFE])
def test_an_unsafe_deployment_is_never_green(case: Case) -> None:
    """Each kind of unsafe deployment comes to its own code."""
    found = ruling(case)
    assert (found.verdict, found.code) != ("ok", "safe-order"), found.told
    assert found.code == case.code, found.told
    assert case.line in found.line


@pytest.mark.parametrize("case", SAFE, ids=[case.slug for case in SAFE])
def test_a_safe_deployment_is_green(case: Case) -> None:
    """Each style that clears nothing live and warms before it publishes is green."""
    found = ruling(case)
    assert found.verdict == "ok", f"{found.code}: {found.told}"


SKELETON = Path(__file__).parents[3] / "fixtures/laravel/skeleton"


def test_the_laravel_stages_own_script_is_green_by_its_text() -> None:
    """What the stage deploys with keeps every rule, its own console commands read."""
    root = "/srv/app/releases/7"
    name = "scripts/deploy-with-cache-management.sh"
    files = {f"{root}/{one.relative_to(SKELETON)}": one.read_text(encoding="utf-8") for one in SKELETON.rglob("*.php")}
    text = (SKELETON / name).read_text(encoding="utf-8")
    found = ruled(read(text, path=f"{root}/{name}", root=root, files=files, place=Place(roots=(root,))))
    assert found.verdict == "ok", f"{found.code}: {found.told}"


SCRIPTS = [case for case in SAFE if case.kind == "shell" and "container" not in case.slug]


@pytest.mark.parametrize("clearing", CLEARING.values(), ids=CLEARING)
def test_a_safe_script_with_what_clears_is_never_green(clearing: str, profile: Profile) -> None:
    """Before its first line and behind its last one, what clears what is served keeps each safe script from green."""
    for case in SCRIPTS[:: profile.choose(gate=5, ci=1, soak=1)]:
        first, _, rest = case.text.partition("\n")
        for text in (f"{first}\n{clearing}\n{rest}", f"{case.text.rstrip()}\n{clearing}\n"):
            assert ruling(replace(case, text=text)).verdict != "ok", case.slug


TOKENS = ('"', "'", "`", "$(", "${", "}", ")", "(", "&&", "||", ";;", "done", "fi", "<<EOF", "\\\n", "*", "{a,b}", "#",
    "!", "|", "&", "\0", "é", "\udc80", "@endtask", "<?php", "- ", ": ", "\t")  # fmt: skip


def mutated(text: str, other: str, draws: random.Random) -> str:
    """Return a text with a few of its parts lost, doubled, shuffled, cut, spliced or spoilt."""
    for _ in range(draws.randint(1, 6)):
        at = draws.randint(0, len(text))
        lines = text.split("\n")
        draws.shuffle(lines)
        text = draws.choice((
            text[:at] + draws.choice(TOKENS) + text[at:],
            text[:at] + text[at + draws.randint(1, 30) :],
            "\n".join(lines),
            text[:at],
            text[:at] + other[draws.randint(0, len(other)) :],
            text[:at] + text[at : at + draws.randint(1, 80)] * draws.randint(2, 20) + text[at:],
        ))  # fmt: skip
    return text


def test_mutated_deployments_are_read_to_an_end(profile: Profile) -> None:
    """A thousand spoilt deployments each come to a ruling, without an error and without end."""
    draws = random.Random(25)  # noqa: S311 - the same mutants in each run
    for _ in range(profile.choose(gate=1_000, ci=10_000, soak=200_000)):
        case, other = draws.choice(UNSAFE + SAFE), draws.choice(UNSAFE + SAFE)
        text = mutated(case.text, other.text, draws)
        assert ruling(replace(case, text=text, kind=draws.choice((case.kind, *KINDS)))).code


BOMBS = {
    "parentheses": "(" * 3_000 + "true" + ")" * 3_000,
    "conditions": "if true; then\n" * 500 + "x\n" + "fi\n" * 500,
    "substitutions": "echo " + "$(" * 300 + "x" + ")" * 300,
    "recursion": "a(){ b; b; }\nb(){ a; a; }\na",
    "doubling-functions": "".join(f"f{at}(){{ f{at + 1}; f{at + 1}; }}\n" for at in range(40)) + "f0",
    "doubling-values": "x=0123456789abcdef\n" + "x=$x$x\n" * 40 + "rm -rf $x",
    "braces": "rm -rf " + "{a,b}" * 30,
    "range": "echo {1..1000000000}",
    "itself": f". {ROOT}/deploy.sh\n",
    "evaluated": 'x=\'eval "$x"\'\neval "$x"\n',
    "loops": "for a in 1 2 3 4 5 6 7 8 9; do " * 8 + "$X;" + "done;" * 8,
    "ways": "".join(f'if [ "$A{at}" ]; then x=$x$A{at}; else y=1; fi\n' for at in range(1_000)) + "rm -rf $x",
    "links": "".join(f"mkdir /r/{at}\nln -sfn /r/{at} /c{at}\nphp /c{at}/artisan view:cache\n" for at in range(800)),
    "links-into-themselves": "ln -sfn /srv/app/a /srv\n" * 40 + "mv -T /srv/app/a /srv/app/current\n" * 40,
    "here-documents": "cat <<A\n" * 250,
    "long": "php artisan migrate\n" * 20_000,
    "patterns": "x=" + "a" * 5_000 + "\necho ${x%%*a*a*a*b} ${x//a*a*b/c}\n",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_text_that_would_take_for_ever_is_cut(text: str) -> None:
    """What grows without end when it is followed is given up at a limit, and is never green for it."""
    case = Case("bomb", text, files={f"{ROOT}/deploy.sh": text})
    assert ruling(case).verdict != "ok"


def test_what_is_behind_the_limit_is_not_taken_for_nothing() -> None:
    """A clear behind more deeds than are read leaves the deployment unknown."""
    lines = "\n".join(f"mv /a{at} /b{at}" for at in range(1_200))
    assert ruling(Case("long", f"{SAFE[0].text}\n{lines}\nphp {ROOT}/artisan view:clear\n")).verdict != "ok"


@pytest.mark.parametrize("end", ["nohup php artisan view:clear >/dev/null 2>&1 &", "sh <<X\nphp artisan view:clear\nX"])
def test_a_line_behind_a_pipeline_of_three_is_a_command_of_its_own(end: str) -> None:
    """The grammar takes a redirected command there for words of the pipeline's last one; the reading does not."""
    text = f"{SAFE[0].text}cd {ROOT}\nls {ROOT}/releases | tail -n +6 | xargs -r rm -rf\n{end}\n"
    assert ruling(Case("piped", text)).code == "clears-live"


def test_a_finding_names_line_command_and_state() -> None:
    """What an operator reads names the line, the command, what is live and what is being built, and the remedy."""
    script = next(case for case in UNSAFE if case.slug == "no-warming")
    found = ruling(script)
    assert (found.line, found.command) == ("line 14", f"mv -T {ROOT}/current.new {ROOT}/current")
    assert f"{ROOT}/current is live" in found.state
    assert "php artisan view:cache" in found.remedy
    assert found.told.startswith("line 14: `mv -T")
