"""Tags in the user's commands: exactly the value, and nothing in a value is ever run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plotrun.tags import POST_TAGS, PRE_TAGS, refer, unknown_tags, unsafe_for_interpreter, variable

SHELLS = [shell for shell in ("bash", "dash") if shutil.which(shell)]
NAMES = [
    b"plain",
    b"two words",
    b"it's",
    b'say "hi"',
    b"$(touch executed)",
    b"`touch executed`",
    b"${HOME}",
    b"$HOME",
    b"new\nline",
    b"-rf",
    b"--help",
    b"*",
    b"?[a-z]",
    b"~",
    b"back\\slash",
    b"trailing\\",
    b"a;touch executed;b",
    b"a&touch executed&b",
    b"a|touch executed|b",
    b"> executed",
    b"!!",
    b"#no comment",
    b"\xff\xfe not text",
    "ünïcödé 漢字".encode(),
    b"%plot%",
    b"'$(touch executed)'",
    b'"$(touch executed)"',
    b"'\"'\"'",
    b"x" * 200,
]
POSITIONS = {
    "unquoted": "show %plot%",
    "in double quotes": 'show "%plot%"',
    "in single quotes": "show '%plot%'",
    "in ANSI quotes": "show $'%plot%'",
    "in a substitution": "show $(show_plain %plot%; printf .)",
    "in quotes in a substitution in quotes": 'show "$(show_plain "%plot%")"',
    "in backticks": 'show "`show_plain %plot%`"',
    "in a sub-shell": "(show '%plot%')",
    "after a comment with an apostrophe": "# it's a comment\nshow %plot%",
    "after an apostrophe in a word": "true it\\'s; show %plot%",
    "after an escaped quote": 'true "\\""; show "%plot%"',
    "after quoted quotes": """true '"' "'"; show '%plot%'""",
    "after a dollar quote": "true $'it\\'s'; show '%plot%'",
    "in a default": 'show "${NOTHING:-%plot%}"',
}
SHOW = 'show() { printf "%s\\0" "$#" "$@"; }; show_plain() { printf "%s" "$1"; };'


def run(shell: str, line: str, value: bytes, where: Path) -> list[bytes]:
    """What the command of *line* gets: the number of its arguments, and each of them."""
    environment = {**os.environb, variable("plot").encode(): value}
    ended = subprocess.run(
        [shell, "-c", SHOW + "\n" + refer(line, POST_TAGS)],
        env=environment,
        capture_output=True,
        cwd=where,
    )
    assert ended.stderr == b"", ended.stderr
    assert list(where.iterdir()) == [], "something in the name was executed"
    return ended.stdout.split(b"\0")[:-1]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("position", POSITIONS)
def test_the_command_gets_exactly_the_name(tmp_path: Path, shell: str, position: str) -> None:
    if (shell == "dash" and "dollar" in position.lower()) or (
        "ANSI" in position and shell == "dash"
    ):
        pytest.skip("dash has no $'…'")
    for name in NAMES:
        got = run(shell, POSITIONS[position], name, tmp_path)
        if position == "in a substitution":
            continue  # the shell splits words there; `run` sees that none is executed
        if position == "in quotes in a substitution in quotes" or position == "in backticks":
            assert got == [b"1", name.rstrip(b"\n")]
        else:
            assert got == [b"1", name], (position, name)


@pytest.mark.parametrize("quotes", ["{}", '"{}"', "'{}'"])
def test_a_tag_may_be_part_of_a_word(tmp_path: Path, quotes: str) -> None:
    line = "show " + quotes.format("--from=%plot%.bak%plot%")
    got = run("bash", line, b"a b'c", tmp_path)
    assert got == [b"1", b"--from=a b'c.baka b'c"]


@settings(max_examples=60, deadline=None)
@given(
    name=st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name),
    position=st.sampled_from(["unquoted", "in double quotes", "in single quotes"]),
)
def test_any_name_in_any_quotes(name: bytes, position: str) -> None:
    with tempfile.TemporaryDirectory() as where:
        assert run("bash", POSITIONS[position], name, Path(where)) == [b"1", name]


@settings(max_examples=200, deadline=None)
@given(line=st.text(alphabet="%plot abk'\"`$(){}\\#\n;=", max_size=60))
def test_refer_never_fails_and_keeps_everything_but_tags(line: str) -> None:
    referred = refer(line, POST_TAGS)
    if "%" not in line:
        assert referred == line


def test_what_is_no_tag_is_left_alone() -> None:
    for line in ("date +%H%M%S", "printf '%s %d' 1 2", "echo 100%", "echo %%", "echo %x%"):
        assert refer(line, POST_TAGS) == line
        assert unknown_tags(line, POST_TAGS) == []


def test_unknown_tags_are_found() -> None:
    assert unknown_tags("mv %plto% %plot%", POST_TAGS) == ["plto"]
    assert unknown_tags("echo %plot%", PRE_TAGS) == ["plot"]


HARMFUL = [
    "ssh nas 'mv %plot% /x'",
    'ssh nas "mv %plot% /x"',
    "bash -c 'mv %plot% /x'",
    "sh -ec 'mv %plot% /x'",
    "cd / && /bin/sh -c 'mv %plot% /x'",
    "eval mv %plot% /x",
    "su farmer -c 'mv %plot% /x'",
    """awk 'BEGIN {print "%plot%"}'""",
    "python3 -c 'print(\"%plot%\")'",
    "sudo bash -c 'mv %plot% /x'",
]


@pytest.mark.parametrize("line", HARMFUL)
def test_an_unsafe_name_is_not_handed_on_as_code(line: str) -> None:
    assert unsafe_for_interpreter(line, {"plot": "/mnt/a b/x.plot"}) == "plot"
    assert unsafe_for_interpreter(line, {"plot": "/mnt/$(reboot)/x.plot"}) == "plot"
    assert unsafe_for_interpreter(line, {"plot": "/mnt/a-b_c.d/x.plot"}) is None


@pytest.mark.parametrize(
    "line",
    [
        "mv %plot% /x",
        "rsync -a %plot% nas:/plots/",
        "echo %plot% >> /var/log/eval/plots",
        "/home/me/notify.sh %plot%",
        "refresh -c %plot%",
        "curl -F file=@%plot% http://nas/",
        "echo done",
    ],
)
def test_ordinary_commands_take_any_name(line: str) -> None:
    assert unsafe_for_interpreter(line, {"plot": "/mnt/$(reboot) x/x.plot"}) is None
