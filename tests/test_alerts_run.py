"""Alerts of a real run, and that nothing of a URL is ever shown."""

from __future__ import annotations

import itertools
import json
import os
import re
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm import Farm, until
from plotrun import EVENT_DATA, EventKind
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError
from plotrun.store import Store
from plugin_package import install
from services import Web, mail_server, web_server
from test_cli import HEAVY, modules_after


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


def alerts(farm: Farm, section: str, **keys: object) -> None:
    farm.write(rest=f"[plugins.alerts]\n{section}\n[plugins.backoff]\npause_after = 1\n", **keys)


# A real run


def test_a_run_tells_what_happened(farm: Farm, web: Web) -> None:
    kinds = ["runner_started", "plot_delivered", "job_ended", "runner_stopping"]
    alerts(farm, f'urls = "json://127.0.0.1:{web.port}"\nevents = {json.dumps(kinds)}')
    assert farm.run_until_done().returncode == 0
    told = "\n".join(web.next().text for _ in range(web.taken.qsize()))
    (plot,) = farm.plots()
    assert f"plotrun runs with {farm.settings}" in told
    assert f"plot delivered: {plot}" in told
    assert "job test: has made its 1 plots" in told
    assert told.endswith("plotrun stops"), "the last message is sent before plotrun ends"


def test_a_failing_job_is_told_by_mail_and_so_is_its_pause(farm: Farm) -> None:
    with mail_server("pa55word") as mail:
        url = f"mailto://farmer:pa55word@127.0.0.1:{mail.port}?from=a@example.com&to=b@example.com"
        section = 'urls = "env:MAIL"\nevents = ["worker_failed", "job_paused"]'
        alerts(farm, section, pre_command="exit 3")
        farm.environment["MAIL"] = url
        ended = farm.run_until_done()
        assert ended.returncode == 1
        mails = [mail.next()]
        mails += [mail.next() for _ in range(mail.taken.qsize())]
    told = "\n".join(each.get_content() for each in mails)
    assert re.search(r"job test worker \w{8}: failed: pre-command failed: exit code 3", told)
    assert "job test: starts nothing more: paused after 1 failures in a row" in told
    assert ended.stdout.count("starts nothing more") == 1


def test_a_job_that_the_user_holds_is_not_told_as_paused(farm: Farm) -> None:
    farm.write(enabled=False)
    assert "starts nothing more" not in farm.run_until_done().stdout


def test_a_dead_service_delays_neither_plots_nor_the_end(farm: Farm, web: Web) -> None:
    web.hangs.clear()
    alerts(farm, f'urls = "json://127.0.0.1:{web.port}?rto=60"\nevents = {json.dumps(EVERY)}')
    runner = farm.start("run", "--until-done")
    until(runner, "has made its 1 plots")
    began = time.monotonic()
    assert runner.wait(30) == 0
    assert time.monotonic() - began < 15  # a thread that is waited for would take 30
    assert len(farm.plots()) == 1
    kept = farm.state_dir / "plugins" / "alerts" / "alerts.json"
    assert "plot delivered" in kept.read_text()


def test_what_was_gathered_is_told_before_settings_change(farm: Farm, web: Web) -> None:
    job = {"plots": 0, "enabled": False}
    events = 'events = ["runner_stopping", "settings_changed"]\nmost_alike = 1'
    section = f'urls = "json://127.0.0.1:{web.port}/{{}}"\n{events}'
    alerts(farm, section.format("one"), **job)
    runner = farm.start("run")
    until(runner, "plotrun runs with")
    for threads in (1, 2, 3):
        alerts(farm, section.format("one"), threads=threads, **job)
        until(runner, "the settings have changed")
    alerts(farm, section.format("two"), **job)
    until(runner, "the settings have changed")
    runner.terminate()
    assert runner.wait(30) == 0
    told = [web.next() for _ in range(web.taken.qsize())]
    assert [each.path for each in told][:2] == ["/one", "/one"]
    assert "settings changed 2 times since" in told[1].text
    assert {each.path for each in told[2:]} == {"/two"}
    assert told[-1].text.endswith("plotrun stops")


def test_settings_that_are_shown_hide_a_jobs_secrets(farm: Farm) -> None:
    source = """
from dataclasses import dataclass
from typing import Annotated

from plotrun import Help, SettingsSection, hookimpl


@dataclass(frozen=True)
class Keys:
    password: Annotated[str, Help("Which.", secret=True)] = "x"


@hookimpl
def plotrun_settings():
    return SettingsSection("door", job_keys=Keys)
"""
    install(farm, "door", source)
    farm.write(password="s3cr3t")
    shown = farm.plotrun("settings", "show").stdout
    assert re.search(r"password +a value that is kept secret +\[\[job\]\], line \d+", shown), shown
    assert "s3cr3t" not in shown
    ended = farm.plotrun("settings", "set", "job.test.password", "s3cr3tly")
    assert (ended.returncode, "s3cr3t" in ended.stdout) == (0, False)


def test_changed_settings_are_taken_up(farm: Farm, web: Web) -> None:
    farm.write(plots=0, enabled=False)
    runner = farm.start("run")
    until(runner, "plotrun runs with")
    alerts(
        farm,
        f'urls = "json://127.0.0.1:{web.port}"\nevents = ["runner_stopping"]',
        plots=0,
        enabled=False,
    )
    until(runner, "the settings have changed")
    runner.terminate()
    assert runner.wait(30) == 0
    assert web.next().text.endswith("plotrun stops")


def test_events_have_the_data_that_templates_may_name(farm: Farm) -> None:
    assert set(EVENT_DATA) == set(EventKind)
    farm.write(pre_command="true", post_command="true", plots=1)
    assert farm.run_until_done().returncode == 0
    farm.write(pre_command="exit 3", plots=2, rest="[plugins.backoff]\npause_after = 1\n")
    assert farm.run_until_done().returncode == 1
    store = Store(farm.state_dir)
    events = store.events.last(1000)
    store.close()
    assert len({event.kind for event in events}) > 12
    for event in events:
        assert tuple(event.data) == EVENT_DATA[event.kind], event.kind


def test_a_delivered_plot_tells_how_long_it_took(farm: Farm) -> None:
    farm.write()
    assert farm.run_until_done().returncode == 0
    store = Store(farm.state_dir)
    (event,) = [e for e in store.events.last(1000) if e.kind is EventKind.PLOT_DELIVERED]
    store.close()
    assert 0 < event.data["seconds"] < 60


# The command


def test_the_test_tells_for_each_service_whether_it_was_told(farm: Farm, web: Web) -> None:
    web.answers += [401]
    alerts(
        farm,
        f"""
        urls = "json://127.0.0.1:{web.port}/s3cr3tpath"
        [[plugins.alerts.service]]
        name = "phone"
        urls = "ntfy://127.0.0.1:{web.port}/s3cr3ttopic"
        [[plugins.alerts.service]]
        name = "unset"
        urls = "env:PLOTRUN_TEST_UNSET"
        """,
    )
    ended = farm.plotrun("alerts", "test", "--tag", "main")
    assert ended.returncode == 1
    assert ended.stdout == (
        "FAIL  main 1 (json://…): Failed to send JSON POST notification: Verification "
        "Failed., error=401\n"
    )
    ended = farm.plotrun("alerts", "test", "--tag", "phone")
    assert (ended.returncode, ended.stdout) == (0, "ok    phone 1 (ntfy://…)\n")
    assert "This is a test of plotrun's alerts." in web.next().text
    ended = farm.plotrun("alerts", "test")
    assert ended.returncode == 1
    assert ended.stdout.splitlines() == [
        "FAIL  unset: there is no URL: see its urls in the settings",
        "ok    main 1 (json://…)",
        "ok    phone 1 (ntfy://…)",
    ]
    assert "the environment variable PLOTRUN_TEST_UNSET is not set" in ended.stderr
    wrong = farm.plotrun("alerts", "test", "--tag", "phnoe")
    assert wrong.returncode == 3
    assert "there is no service phnoe; there are: main, phone, unset" in wrong.stderr


def test_without_services_there_is_nothing_to_test(farm: Farm) -> None:
    farm.write()
    wrong = farm.plotrun("alerts", "test")
    assert wrong.returncode == 1
    assert "error: no service is set" in wrong.stderr


def test_apprise_is_imported_only_where_a_url_is_set(farm: Farm, web: Web) -> None:
    code = (
        "from plotrun.cli.opening import open_settings\n"
        f"open_settings({os.fspath(farm.settings)!r})"
    )
    farm.write(rest='[plugins.alerts]\nevents = ["worker_failed"]\n')
    assert modules_after(code).isdisjoint(set(HEAVY) & {"apprise", "schedule", "requests"})
    alerts(farm, f'urls = "json://127.0.0.1:{web.port}"\n')
    assert "apprise" in modules_after(code), "this test could fail"


# Settings


def mistakes(farm: Farm, section: str) -> str:
    alerts(farm, section)
    with pytest.raises(SettingsError) as wrong:
        load_settings(farm.settings, load_plugins().schema())
    assert len(wrong.value.problems) == 1
    told = "".join(traceback.format_exception(wrong.value))
    assert "s3cr3t" not in told + repr(wrong.value.problems).replace("//1/s3cr3t", "")
    return str(wrong.value).removeprefix(f"{farm.settings}:")


SECRET = "found a value that is kept secret, expected"
URLS = 'a URL of Apprise, "file:/some/file" or "env:NAME", or a list of them'


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (
            'urls = [\n"json://127.0.0.1",\n"discord://s3cr3t"]',
            f"5: plugins.alerts.urls: {SECRET} {URLS} "
            "(entry 2: Apprise cannot read this discord://…: see docs/alerts.md)",
        ),
        (
            'urls = "s3cr3t://s3cr3t"',
            f"5: plugins.alerts.urls: {SECRET} {URLS} "
            "(Apprise knows no such service: see docs/alerts.md)",
        ),
        (
            'urls = ["s3cr3t"]',
            f"5: plugins.alerts.urls: {SECRET} {URLS} "
            "(entry 1: it does not begin with a service, as discord://… does)",
        ),
        ("urls = [5]", f"5: plugins.alerts.urls: {SECRET} {URLS} (entry 1: it is not text)"),
        (
            'urls = "file:s3cr3t"',
            f"5: plugins.alerts.urls: {SECRET} {URLS} (file: is followed by an absolute path)",
        ),
        (
            'urls = "file:/s3cr3t"',
            f"5: plugins.alerts.urls: {SECRET} {URLS} "
            "(the file cannot be read: No such file or directory)",
        ),
        (
            'urls = "env:s3cr3t!"',
            f"5: plugins.alerts.urls: {SECRET} {URLS} (env: is followed by the name of a variable)",
        ),
        (
            'url = "discord://1/s3cr3t"',
            '5: plugins.alerts.url: found unknown key "url", expected a key of [plugins.alerts] '
            "(did you mean urls?)",
        ),
        (
            '"discord://1/s3cr3t" = 1',
            '5: plugins.alerts."discord://…": found unknown key "discord://…", expected a key of '
            "[plugins.alerts]",
        ),
        (
            'service = "discord://1/s3cr3t"',
            f"5: plugins.alerts.service: {SECRET} tables with two brackets on each side",
        ),
        (
            'service = ["s3cr3t"]',
            f"5: plugins.alerts.service: {SECRET[:-10]}, expected a table",
        ),
        (
            '[[plugins.alerts.service]]\nname = "a"\nurls = "json://localhost"\n'
            '[[plugins.alerts.service]]\nname = "b"\nurls = ["discord://s3cr3t"]',
            f"10: plugins.alerts.service.urls: {SECRET} {URLS} "
            "(entry 1: Apprise cannot read this discord://…: see docs/alerts.md)",
        ),
        (
            '[[plugins.alerts.service]]\nname = "a"',
            f"5: plugins.alerts.service.urls: found nothing, expected {URLS} (urls must be given)",
        ),
        (
            'events = ["runner_started", "worker failed"]',
            '5: plugins.alerts.events: found ["runner_started", "worker failed"], expected a list '
            'of events (there is no event "worker failed", did you mean worker_failed?)',
        ),
        (
            'summary = "25:00"',
            '5: plugins.alerts.summary: found "25:00", expected a time of the day such as "08:00" '
            "(it cannot be read)",
        ),
        (
            '[plugins.alerts.messages]\nworker_failed = "%job%: %raeson%"',
            '6: plugins.alerts.messages.worker_failed: found "%job%: %raeson%", expected the text '
            "of a message (unknown tag %raeson%, did you mean %reason%?)",
        ),
        (
            "[plugins.alerts.messages]\nworker_faild = 'x'",
            '6: plugins.alerts.messages.worker_faild: found unknown key "worker_faild", expected '
            "a key of [plugins.alerts.messages] (did you mean worker_failed?)",
        ),
    ],
    ids=itertools.count(),
)
def test_mistakes(farm: Farm, section: str, told: str) -> None:
    assert mistakes(farm, section) == told


def test_urls_of_a_file_and_of_the_environment(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    from plotrun.builtin.alerts.settings import AlertsSettings

    file = farm.root / "urls"
    file.write_text("# phone\njson://one/s3cr3t1\n\n  json://two\n")
    monkeypatch.setenv("PLOTRUN_TEST_URLS", "json://three json://four\n")
    alerts(farm, f'urls = ["file:{file}", "env:PLOTRUN_TEST_URLS", "json://five"]')
    settings = load_settings(farm.settings, load_plugins().schema())
    section = settings.section(AlertsSettings)
    urls = [url.text for url in section.urls or ()]
    hosts = ["one/s3cr3t1", "two", "three", "four", "five"]
    assert urls == [f"json://{host}" for host in hosts]
    assert "json" not in repr(section).replace("json://…", "")
    file.write_text("# phone\n\ndiscord://s3cr3t\n")
    assert "(entry 1: line 3 of the file: Apprise cannot" in mistakes(farm, f'urls=["file:{file}"]')
    file.write_text("# phone\n")
    assert "(there is no URL in the file)" in mistakes(farm, f'urls = "file:{file}"')


def test_settings_that_are_set_and_shown_hide_secrets(farm: Farm) -> None:
    farm.write()
    ended = farm.plotrun("settings", "set", "plugins.alerts.urls", "json://localhost/s3cr3t")
    assert ended.returncode == 0
    assert ended.stdout.endswith("plugins.alerts.urls = a value that is kept secret\n")
    words = ["plugins.alerts.messages.worker_failed", "%job% failed"]
    assert farm.plotrun("settings", "set", *words).returncode == 0
    assert "%job% failed" in farm.settings.read_text()
    schema = json.loads(farm.plotrun("settings", "schema").stdout)
    table = schema["properties"]["plugins"]["properties"]["alerts"]["properties"]
    assert table["service"]["items"]["properties"]["name"]["type"] == "string"
    assert table["messages"]["properties"]["worker_failed"]["type"] == "string"
    wrong = farm.plotrun("settings", "set", "plugins.alerts.urls", "discord://s3cr3t")
    assert wrong.returncode == 2
    assert "s3cr3t" not in ended.stdout + wrong.stdout + wrong.stderr


# Secrets

EVERY = [str(kind) for kind in EventKind if kind is not EventKind.PROGRESS]


def planted(port: int, closed: int) -> list[str]:
    """URLs with a token in every field, to servers that refuse, hang up, or are not there."""
    query = "rto=1&cto=1"
    there, gone = f"127.0.0.1:{port}", f"127.0.0.1:{closed}"
    return [
        f"json://s3cr3tuser:s3cr3tpw@{there}/s3cr3tpath?{query}&+s3cr3thdr=s3cr3tvalue",
        f"json://s3cr3tuser:s3cr3tpw@{gone}/s3cr3tpath?{query}&-s3cr3tq=s3cr3tvalue",
        f"jsons://s3cr3tuser:s3cr3tpw@{there}/s3cr3tpath?{query}&verify=no",
        f"xml://s3cr3tuser:s3cr3tpw@{gone}/s3cr3t%20path?{query}",
        f"form://s3cr3tuser:s3cr3tpw@{there}/s3cr3tpath?{query}",
        f"ntfy://s3cr3tuser:s3cr3tpw@{there}/s3cr3ttopic?{query}",
        f"ntfy://s3cr3ttoken@{gone}/s3cr3ttopic?{query}&auth=token",
        f"mailto://s3cr3tuser:s3cr3tpw@{gone}?from=s3cr3t@s3cr3t.example.com"
        f"&to=s3cr3tto@s3cr3t.example.com&{query}",
        f"mailtos://s3cr3tuser:s3cr3tpw@{there}?from=s3cr3t@s3cr3t.example.com"
        f"&to=s3cr3tto@s3cr3t.example.com&{query}",
        f"gotify://{there}/s3cr3ttoken12345?{query}",
        f"discord://s3cr3tid/s3cr3ttoken?{query}",
        f"tgram://123456789:s3cr3ttokens3cr3ttokens3cr3ttoken/12315544/?{query}",
        f"pover://{'s3cr3t' * 5}@{'s3cr3t' * 5}?{query}",
        f"slack://s3cr3tbot@{'T1JJ3T3L2'}/A1BRTD4JD/s3cr3tTIiajkdnlazkcOXrIdevi7FQ/#s3cr3t?{query}",
        f"matrix://s3cr3tuser:s3cr3tpw@{gone}/#s3cr3troom?{query}",
        f"mmost://{there}/s3cr3ttoken?{query}",
        f"rockets://s3cr3tuser:s3cr3tpw@{gone}/#s3cr3troom?{query}&verify=no",
    ]


def test_nothing_of_a_url_is_ever_shown(farm: Farm, web: Web) -> None:
    with web_server() as closing:
        closed = closing.port
    web.answers += [401, 403, 404, 429, 500, 503, 302] * 200
    urls = planted(web.port, closed)
    section = f"urls = {json.dumps(urls)}\nevents = {json.dumps(EVERY)}\nsummary = '08:00'"
    alerts(farm, section, pre_command="exit 3")
    farm.environment["PYTHONWARNINGS"] = "always"
    # As it would be if somebody let every library log all that it can.
    patches = farm.root / "patches"
    patches.mkdir()
    (patches / "sitecustomize.py").write_text(
        "import logging, sys\n"
        f"logging.basicConfig(level=1, filename={os.fspath(farm.root / 'all.log')!r})\n"
    )
    farm.environment["PYTHONPATH"] = str(patches)
    said = []
    runner = farm.start("run", "--until-done")
    output, _ = runner.communicate(timeout=120)
    said.append(output.decode())
    assert runner.returncode == 1
    for command in (
        ["alerts", "test"],
        ["status"],
        ["status", "--json"],
        ["check"],
        ["settings", "show"],
        ["settings", "set", "plugins.alerts.most_alike", "7"],
    ):
        ended = farm.plotrun(*command)
        said.append(ended.stdout + ended.stderr)
    assert said[1].count("FAIL") == len(urls), said[1]
    assert "Traceback" not in "".join(said)
    written = {
        file: file.read_bytes().decode("utf-8", "replace")
        for file in farm.root.rglob("*")
        if file.is_file() and file != farm.settings
    }
    names = {file.name for file in written}
    assert {"plotrun.log", "plotrun.sqlite3", "alerts.json", "all.log"} <= names
    assert "not delivered" in written[farm.log_dir / "plotrun.log"]
    for place, text in [*written.items(), *enumerate(said)]:
        at = text.lower().find("s3cr3t")
        assert at < 0, f"{place}: {text[max(0, at - 200) : at + 200]}"


# The page

PAGE = Path(__file__).parents[1] / "docs" / "alerts.md"


def test_every_example_of_the_page_is_right(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(examples) >= 8
    (farm.root / "urls").write_text("json://localhost\n")
    for example in examples:
        text = example.replace("~/.config/plotrun/alerts", str(farm.root / "urls"))
        farm.write(rest=text)
        load_settings(farm.settings, load_plugins().schema())


def test_the_page_names_all_usual_events_and_tags() -> None:
    from plotrun.builtin.alerts.settings import COMMON_TAGS, SUMMARY_TAGS, USUAL

    text = PAGE.read_text("utf-8")
    for kind in USUAL:
        assert f"`{kind}`" in text
    for tag in (*COMMON_TAGS, *SUMMARY_TAGS):
        assert f"`%{tag}%`" in text
