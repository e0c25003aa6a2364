"""The settings file as TOML, and the little of it that is needed before plugins are loaded."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import Any

from plotrun.settings import lines
from plotrun.settings.locate import default_state_dir
from plotrun.settings.problems import Problem, SettingsError, shown
from plotrun.settings.types import read_path

_TOML_WORDS = {
    "Invalid value": 'a value is missing or wrong (text stands in quotes: "text")',
    "Unescaped '\\'": """a backslash in "text" is doubled; in 'text' it stands for itself""",
    "Cannot overwrite a value": "a key is given twice",
    "Cannot declare": "a table is there twice",
    "Expected '=' after a key": "a line is neither KEY = VALUE nor a [table]",
    "Invalid statement": "a line is neither KEY = VALUE nor a [table]",
    "Expected newline or end of document": "there is something behind the value",
    "Illegal character '\\n'": "a quote is not closed",
    "Unterminated string": "a quote is not closed",
    "Unclosed array": "a list is not closed, or a comma is missing in it",
}
"""The parser's words, by how they begin, in plainer ones."""


def read_toml(file: Path) -> tuple[str, dict[str, Any]]:
    """Text and values of a settings file. Windows' mark at the beginning of a text is passed over.

    Raises:
        SettingsError: it is missing, unreadable, not UTF-8 or not TOML.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        command = f"plotrun init {shlex.quote(str(file))}"
        problem = "there is no such file", f"`{command}` writes one"
    except IsADirectoryError:
        problem = "this is a directory, not a settings file", "name the file in it"
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}", "check its permissions"
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise SettingsError(
            [Problem(file, line, None, None, "this line is not UTF-8: save the file as UTF-8")]
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_toml_problem(file, text, error)]) from None
    except (ValueError, RecursionError):  # limits of Python, and not of TOML
        problem = "a number is too long, or lists are nested too deeply", "see `plotrun init`"
    raise SettingsError([Problem(file, None, None, None, problem[0], problem[1])])


def _toml_problem(file: Path, text: str, error: tomllib.TOMLDecodeError) -> Problem:
    """A mistake of TOML's grammar; the parser tells its place only in its message."""
    message, _, place = str(error).rpartition(" (at ")
    digits = "".join(c if c.isdigit() else " " for c in place).split()
    line = int(digits[0]) if digits else len(text.splitlines())
    plainer = (words for start, words in _TOML_WORDS.items() if message.startswith(start))
    return Problem(file, line, None, None, f"not valid TOML: {next(plainer, message)}")


def blocked_plugins(file: Path) -> frozenset[str]:
    """The plugins that shall not be loaded. Nothing else is checked: `load_settings` does that.

    Raises:
        SettingsError: the file cannot be read at all.
    """
    _, table = read_toml(file)
    plugins = table.get("plugins")
    names = plugins.get("blocked") if isinstance(plugins, dict) else None
    names = names if isinstance(names, list) else []
    return frozenset(name for name in names if isinstance(name, str))


def state_dir_of(file: Path) -> Path:
    """The state directory, for commands that need nothing else of the settings.

    Raises:
        SettingsError: the file cannot be read, or its state_dir is wrong.
    """
    return _path_of(file, "state_dir") or default_state_dir()


def log_dir_of(file: Path) -> Path:
    """Where logs go, for commands that need nothing else of the settings.

    Raises:
        SettingsError: the file cannot be read, or its log_dir or state_dir is wrong.
    """
    return _path_of(file, "log_dir") or state_dir_of(file) / "logs"


def _path_of(file: Path, key: str) -> Path | None:
    text, table = read_toml(file)
    general = table.get("plotrun")
    given = general.get(key) if isinstance(general, dict) else None
    try:
        return None if given is None else read_path(given)
    except ValueError as error:
        line = lines.line_numbers(text).get(("plotrun", key))
        raise SettingsError(
            [
                Problem(
                    file,
                    line,
                    f"plotrun.{key}",
                    shown(given),
                    "an absolute path",
                    str(error),
                )
            ]
        ) from None
