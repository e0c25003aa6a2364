"""URLs of Apprise, and what may be told of them: nothing but which service they are for."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from plotrun import TellableError

if TYPE_CHECKING:
    from apprise import Apprise

FILE, ENV = "file:", "env:"
LIBRARIES = ("apprise", "requests", "urllib3")
"""They log URLs, and nobody but this plugin listens to them."""
_SHORTEST = 4
"""Characters of a part of a URL that is hidden wherever it is; a shorter one as a whole word."""

log = logging.getLogger("plotrun.alerts")


@dataclass(frozen=True)
class Url:
    """Where messages go. Its text is shown nowhere."""

    text: str = field(repr=False)

    @property
    def scheme(self) -> str:
        """Which service it is for: "discord://…"; hidden as well if Apprise knows none such."""
        scheme, found, _ = self.text.partition("://")
        known = found and scheme.lower() in _apprise_schemes()
        return f"{scheme.lower()}://…" if known else "a URL"

    def without_secrets(self, words: str) -> str:
        """*words* without any part of the URL."""
        for part in sorted(self._parts(), key=len, reverse=True):
            exact = re.escape(part)
            pattern = exact if len(part) >= _SHORTEST else rf"(?<!\w){exact}(?!\w)"
            words = re.sub(pattern, "…", words, flags=re.IGNORECASE)
        return words

    def _parts(self) -> set[str]:
        """All that stands between the marks of the URL, as it is written and as it is meant."""
        _, _, rest = self.text.partition("://")
        found = {self.text, rest}
        for text in (rest, unquote(rest)):
            found |= set(re.split(r"[/?&=:@#,;+]+", text))
            found |= set(re.split(r"[/?&=]+", text))
        return {part for word in found for part in (word, unquote(word)) if part}


def quiet_apprise() -> Any:
    """The module Apprise, imported once it is needed, with all that it logs kept to itself."""
    import warnings

    import apprise

    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.propagate = False
        if not library.handlers:
            library.addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")  # it names the host
    return apprise


def open_url(url: Url) -> Apprise | None:
    """Apprise with this URL; None if it cannot read it. Nothing is sent, or kept on the disk."""
    apprise = quiet_apprise()
    asset = apprise.AppriseAsset(
        app_id="plotrun",
        app_desc="plotrun",
        app_url="",
        async_mode=False,
        secure_logging=True,
        storage_mode="memory",
        service_timeout=0,  # else in threads that the end of the program would wait for
    )
    try:
        service = apprise.Apprise.instantiate(url.text, asset=asset)
        sender: Apprise = apprise.Apprise(asset=asset)
        return sender if service is not None and sender.add(service) else None
    except Exception:  # its words may hold the URL
        return None


def read_urls(value: Any) -> tuple[Url, ...]:
    """The URLs that the settings name, those of files and environment variables included.

    Raises:
        TellableError: an entry is wrong; says which, and nothing of the URL.
    """
    entries = value if isinstance(value, list) else [value]
    found: list[Url] = []
    for number, entry in enumerate(entries, 1):
        place = f"entry {number}" if isinstance(value, list) else ""
        if not isinstance(entry, str) or not entry.strip():
            raise TellableError(_at(place, "it is not text"))
        found += _read_entry(entry.strip(), place)
    return tuple(found)


def _at(place: str, words: str) -> str:
    return f"{place}: {words}" if place else words


def _read_entry(entry: str, place: str) -> Iterator[Url]:
    if entry.startswith(FILE) and not entry.startswith(f"{FILE}//"):
        lines = list(_lines_of(entry.removeprefix(FILE), place))
        if not lines:
            raise TellableError(_at(place, "there is no URL in the file"))
        for line, text in lines:
            yield _checked(text, _at(place, f"line {line} of the file"))
    elif entry.startswith(ENV) and not entry.startswith(f"{ENV}//"):
        name = entry.removeprefix(ENV)
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise TellableError(_at(place, "env: is followed by the name of a variable"))
        texts = os.environ.get(name, "").split()
        if not texts:
            # No mistake in the file: `plotrun pause` is called where the service's variables
            # are not set.
            log.warning("alerts: the environment variable %s is not set: it names no URL", name)
        for text in texts:
            yield _checked(text, _at(place, f"environment variable {name}"))
    else:
        yield _checked(entry, place)


def _lines_of(name: str, place: str) -> Iterator[tuple[int, str]]:
    path = Path(os.path.expanduser(name))  # noqa: PTH111 - Path raises where there is no home
    if not path.is_absolute():
        raise TellableError(_at(place, "file: is followed by an absolute path"))
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise TellableError(_at(place, f"the file cannot be read: {error.strerror}")) from None
    except ValueError:
        raise TellableError(_at(place, "the file is not UTF-8")) from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()


def _checked(text: str, place: str) -> Url:
    url = Url(text)
    if "://" not in text:
        raise TellableError(_at(place, "it does not begin with a service, as discord://… does"))
    if open_url(url) is None:
        words = "Apprise knows no such service"
        if url.scheme != "a URL":
            words = f"Apprise cannot read this {url.scheme}"
        raise TellableError(_at(place, f"{words}: see docs/alerts.md"))
    return url


def _apprise_schemes() -> frozenset[str]:
    quiet_apprise()
    from apprise.plugins import N_MGR

    return frozenset(N_MGR.schemas())  # type: ignore[no-untyped-call]
