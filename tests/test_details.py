"""What details tell of a worker, and what they hide."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

from plotrun.details import details
from plotrun.manager import load_plugins
from plotrun.model import Stage, Worker
from plotrun.settings.schema import Help, Schema, SettingsSection

TOKEN = "s3cr3t-t0ken"


@dataclass(frozen=True)
class SecretKeys:
    token: Annotated[str, Help("A token.", secret=True)] = ""


def schema() -> Schema:
    plugins = load_plugins()
    sections: list[Any] = plugins.answers("plotrun_settings")
    secret = SettingsSection("secretive", None, SecretKeys)
    return Schema(plugins.plotters(), [*sections, secret])


def told(plotter: str, settings: dict[str, Any], *argv: str) -> str:
    worker = Worker(
        id="3f9a1c07",
        job="nvme",
        plotter=plotter,
        stage=Stage.ENDED,
        created_at=0.0,
        argv=("chia", *argv),
        tmp_dir=Path("/nowhere"),
        settings=settings,
    )
    return json.dumps(details(worker, None, schema(), {}, 1.0))


@pytest.mark.parametrize("plotter", ["chia", "not installed"])
def test_secrets_are_stars(plotter: str) -> None:
    url = f"https://me:{TOKEN}@example.org/{TOKEN}"
    settings = {
        "name": "nvme",
        "token": TOKEN,
        "unknown_by_now": TOKEN,
        "post_command": f"curl {url}/x; notify {TOKEN}",
        "tmp": ["/mnt/nvme", url],
    }
    shown = told(plotter, settings, "--token", TOKEN, f"--notify={url}")
    assert TOKEN not in shown
    assert "example.org" not in shown
    assert "--token" in shown


def test_what_is_no_secret_is_shown() -> None:
    shown = json.loads(told("chia", {"name": "nvme", "k": 32, "tmp": ["/mnt/a"]}, "plots", "-k32"))
    assert shown["settings"] == {"name": "nvme", "k": 32, "tmp": ["/mnt/a"]}
    assert shown["command_line"] == ["chia", "plots", "-k32"]
