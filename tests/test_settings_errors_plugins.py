"""Wrong values of keys that plugins bring, and plugins that are wrong themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest

from plotrun import Help, KeyProblem, SettingsSection, TellableError, Written
from plotrun.builtin.chia import ChiaPlotter
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError
from plotrun.settings.schema import Schema


def read_badly(value: Any) -> Any:
    return value.strip()


@dataclass(frozen=True)
class AlarmSettings:
    url: Annotated[str, Help("Where to.", secret=True)]
    word: Annotated[str, Written(read_badly, "a word"), Help("What.")] = "x"


def read_secret(value: Any) -> Any:
    if value == "pa55word":
        raise TellableError("it is too short")
    raise ValueError(f"{value} is no secret")


@dataclass(frozen=True)
class SecretSettings:
    word: Annotated[str, Written(read_secret, "a secret"), Help("What.", secret=True)] = "x"


@dataclass(frozen=True)
class AlarmJobKeys:
    alarm: Annotated[bool, Help("Whether.")]


class OddPlotter(ChiaPlotter):
    name: ClassVar[str] = "odd"
    has_tmp2: ClassVar[bool] = False
    several_plots: ClassVar[bool] = False

    def check(self, values: Any) -> Iterable[KeyProblem]:
        if values.threads == 13:
            raise LookupError("unlucky")
        yield KeyProblem("fingerprint", "a fingerprint")


SCHEMA = Schema([OddPlotter()], [SettingsSection("alarm", AlarmSettings, AlarmJobKeys)])
ODD = '[[job]]\nname = "one"\nplotter = "odd"\ntmp = "/tmp/t"\ndst = "/tmp/d"\n'


def problems(tmp_path: Path, text: str, schema: Schema = SCHEMA) -> list[str]:
    """What is said of a settings file, without its directory."""
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_settings(file, schema)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in raised.value.problems]


def test_a_secret_appears_in_no_message(tmp_path: Path) -> None:
    text = '[plugins.alarm]\nurl = ["https://token@example.org"]\n' + ODD + "alarm = true\n"
    said = problems(tmp_path, text)
    assert said[0] == (
        "settings.toml:2: plugins.alarm.url: found a value that is kept secret, expected text"
    )
    assert "token" not in "".join(said)


@pytest.mark.parametrize(("value", "hint"), [("pa55w0rd", ""), ("pa55word", " (it is too short)")])
def test_of_a_secret_only_what_is_safe_to_tell_is_told(
    tmp_path: Path, value: str, hint: str
) -> None:
    schema = Schema([OddPlotter()], [SettingsSection("safe", SecretSettings)])
    text = f'[plugins.safe]\nword = "{value}"\n{ODD}fingerprint = 5\n'
    assert problems(tmp_path, text, schema)[0] == (
        "settings.toml:2: plugins.safe.word: found a value that is kept secret, "
        f"expected a secret{hint}"
    )


def test_a_key_that_a_plugin_needs_must_be_given(tmp_path: Path) -> None:
    said = problems(tmp_path, "[plugins.alarm]\n" + ODD)
    assert said == [
        "settings.toml:1: plugins.alarm.url: found nothing, expected text (url must be given)",
        "settings.toml:2: job.alarm: found nothing, expected true or false (alarm must be given)",
    ]


def test_a_plugin_that_cannot_read_a_value_is_named(tmp_path: Path) -> None:
    text = '[plugins.alarm]\nurl = "x"\nword = 3\n' + ODD
    said = problems(tmp_path, text)
    assert said[0] == (
        "settings.toml:3: plugins.alarm.word: found 3, expected a word "
        "(alarm cannot read it: AttributeError: 'int' object has no attribute 'strip')"
    )


def test_what_a_plotter_misses_is_told_where_it_would_be(tmp_path: Path) -> None:
    text = '[plugins.alarm]\nurl = "x"\n' + ODD + "alarm = true\n"
    assert problems(tmp_path, text) == [
        "settings.toml:3: job.fingerprint: found nothing, expected a fingerprint"
    ]


def test_a_plotter_that_fails_to_check_a_job_is_named(tmp_path: Path) -> None:
    text = '[plugins.alarm]\nurl = "x"\n' + ODD + "alarm = true\nthreads = 13\n"
    assert problems(tmp_path, text) == [
        'settings.toml:5: job.plotter: found "odd", expected keys that odd can check '
        "(LookupError: unlucky)"
    ]


def test_a_plotter_without_a_second_directory_or_several_plots_says_so(tmp_path: Path) -> None:
    text = '[plugins.alarm]\nurl = "x"\n' + ODD + 'alarm = true\ntmp2 = "/x"\n'
    said = problems(tmp_path, text + "plots_per_process = 2\n")
    assert said[1:] == [
        "settings.toml:9: job.tmp2: found tmp2, "
        "expected no tmp2: odd has no second temporary directory",
        "settings.toml:10: job.plots_per_process: found 2, "
        "expected 1: odd makes one plot in a process",
    ]
