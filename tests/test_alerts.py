"""Alerts: what is sent, to whom, how often, and what becomes of it when a service is down."""

from __future__ import annotations

import json
import stat
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from alerted import NOW, Office
from farm import Farm
from plotrun import EventKind
from plotrun.builtin.alerts import attempt, channel, summary
from plotrun.builtin.alerts.channel import LONGEST, together
from plotrun.builtin.alerts.kept import MOST, OLDEST, Counts, Kept, Message
from plotrun.builtin.alerts.urls import Url
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from services import Mail, Web, mail_server, web_server

HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def office(farm: Farm) -> Office:
    return Office(farm)


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[Mail]:
    with mail_server("pa55word") as server:
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "FIRST_WAIT", 0.02)


def unsent(office: Office) -> list[str]:
    kept = json.loads(office.file.read_text())["unsent"]
    return [message["body"] for messages in kept.values() for message in messages]


# What is sent


def test_json_and_ntfy_are_told_title_and_words(office: Office, web: Web) -> None:
    urls = [f"json://127.0.0.1:{web.port}/x", f"ntfy://127.0.0.1:{web.port}/topic"]
    with office.open(f"urls = {json.dumps(urls)}") as alerts:
        alerts.fails("exit code 1")
        told = {web.next() for _ in urls}
    assert {each.path for each in told} == {"/x", "/"}
    for each in told:
        title, words = each.text.split("\n")
        assert title.endswith(": worker failed")
        assert words == "job test worker 0000beef: failed: exit code 1"


def test_discord_is_told(office: Office, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.discord import NotifyDiscord

    # Its address is part of Apprise, and no part of the URL.
    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://127.0.0.1:{web.port}/api/webhooks")
    with office.open('urls = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"') as alerts:
        alerts.fails("exit code 1")
        told = web.next()
    assert told.path.partition("?")[0] == "/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
    assert "failed: exit code 1" in told.text


def test_a_mail_is_plain_text(office: Office, mail: Mail) -> None:
    url = f"mailto://farmer:pa55word@127.0.0.1:{mail.port}?from=a@example.com&to=b@example.com"
    with office.open(f'urls = "{url}"') as alerts:
        alerts.fails("<b> & </b>")
        told = mail.next()
    assert str(told["subject"]).endswith(": worker failed")
    body = told.get_body(("plain",))
    assert body is not None
    assert "failed: <b> & </b>" in body.get_content()


def test_a_wrong_password_is_told_as_such(mail: Mail) -> None:
    wrong = f"mailto://farmer:s3cr3tpw@127.0.0.1:{mail.port}?from=a@example.com&to=b@example.com"
    refused = attempt.Attempt(Url(wrong), "t", "b")
    assert refused.ended(30)
    assert refused.trouble is not None
    assert refused.trouble.endswith(": user or password refused")
    assert "s3cr3t" not in refused.trouble


def test_services_have_events_and_jobs_of_their_own(office: Office, web: Web, other: Web) -> None:
    section = f"""
        urls = "json://127.0.0.1:{web.port}"
        [[plugins.alerts.service]]
        name = "phone"
        urls = "json://127.0.0.1:{other.port}"
        events = ["worker_failed", "plot_delivered", "runner_stopping"]
        jobs = ["one"]
    """
    with office.open(section) as alerts:
        alerts.fails("first", "one")
        alerts.delivers()
        alerts.fails("second", "two")
        alerts.tell(EventKind.RUNNER_STOPPING, None, workers=0)
    everything = "\n".join(web.next().text for _ in range(web.taken.qsize()))
    assert "first" in everything
    assert "second" in everything
    assert "delivered" not in everything, "a delivered plot is told to who asks for it"
    phone = "\n".join(other.next().text for _ in range(other.taken.qsize()))
    assert "first" in phone
    assert "second" not in phone
    assert "stops" in phone, "what belongs to no job is told to all who asked for the event"


def test_words_of_the_users_own(office: Office, web: Web) -> None:
    section = f"""
        urls = "json://127.0.0.1:{web.port}"
        [plugins.alerts.messages]
        worker_failed = "%job%/%worker%: %reason% (%exit_code%) 100% %log_lines%"
    """
    with office.open(section) as alerts:
        alerts.fails("%job% \x1b[2J")
        told = web.next().text.partition("\n")[2]
    assert told == r"test/0000beef: %job% \x1b[2J (1) 100% x" + "\ny"


# Never a flood


def test_messages_of_one_kind_that_come_too_often_are_gathered(office: Office, web: Web) -> None:
    section = f'urls = "json://127.0.0.1:{web.port}"\nmost_alike = 3\nalike_within = "10m"'
    with office.open(section) as alerts:
        for number in range(40):
            alerts.fails(f"failure {number}")
            alerts.clock.time += 5
            if number < 3:
                assert f"failure {number}" in web.next().text
        alerts.tell(EventKind.JOB_ENDED, plots=3)
        assert "has made its 3 plots" in web.next().text, "other kinds are not held back"
        since = NOW + 3 * 5
        alerts.clock.time = since + 599
        alerts.desk.tick()
        assert web.taken.empty()
        alerts.clock.time = since + 600
        alerts.desk.tick()
        told = web.next().text
        assert "worker failed 37 times since " in told
        assert told.endswith("last: job test worker 0000beef: failed: failure 39")
        alerts.fails("later")
        assert web.next().text.endswith("\njob test worker 0000beef: failed: later")
    assert web.taken.empty()


def test_what_is_gathered_is_told_before_the_end(office: Office, web: Web) -> None:
    with office.open(f'urls = "json://127.0.0.1:{web.port}"\nmost_alike = 1') as alerts:
        alerts.fails("one")
        assert "one" in web.next().text
        alerts.fails("two")
        alerts.fails("three")
    assert "worker failed 2 times" in web.next().text


def test_many_that_waited_are_sent_as_one() -> None:
    messages = [Message(NOW + n, "plotrun h: x", f"{n}" * 300) for n in range(50)]
    one = together(messages, NOW + 60)
    assert one.title == "plotrun h: 50 messages"
    assert len(one.body) <= LONGEST
    assert one.body.startswith("30 earlier ones are left out")
    assert len(one.body.splitlines()) == 21
    assert together(messages[:1], NOW).body == "0" * 300
    assert len(together([Message(NOW, "t", "x" * 5000)], NOW).body) == LONGEST


def test_a_late_message_says_when_it_happened(zone: Callable[[str], None]) -> None:
    zone("UTC")
    late = together([Message(NOW, "t", "it failed")], NOW + HOUR)
    assert late.body == "Fri 08:00: it failed"


# Services that are down


def test_a_service_that_recovers_is_told_once(office: Office, web: Web) -> None:
    web.answers += [429, 500, 503]
    with office.open(f'urls = "json://127.0.0.1:{web.port}"') as alerts:
        alerts.fails("only once")
        assert "only once" in web.next().text
    assert [web.tried.get(timeout=5) for _ in range(4)] == [429, 500, 503, 200]
    assert web.tried.empty()
    assert unsent(office) == []


def test_the_wait_between_tries_grows(
    office: Office, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "FIRST_WAIT", 0.1)
    web.answers += [500, 500, 500]
    with office.open(f'urls = "json://127.0.0.1:{web.port}"') as alerts:
        began = time.monotonic()
        alerts.fails()
        web.next()
        assert time.monotonic() - began >= 0.1 + 0.2 + 0.4


def test_a_service_that_hangs_delays_neither_others_nor_the_end(
    office: Office, web: Web, other: Web
) -> None:
    web.hangs.clear()
    urls = [f"json://127.0.0.1:{port}?rto=60" for port in (web.port, other.port)]
    began = time.monotonic()
    with office.open(f"urls = {json.dumps(urls)}", last_words=0.3) as alerts:
        alerts.fails("first")
        assert "first" in other.next().text
        alerts.fails("second")
        assert "second" in other.next().text
    assert time.monotonic() - began < 10
    assert len(unsent(office)) == 2


def test_what_arrives_after_the_time_limit_is_not_sent_again(
    office: Office, web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel, "LIMIT", 0.1)
    web.hangs.clear()
    with office.open(f'urls = "json://127.0.0.1:{web.port}?rto=60"') as alerts:
        alerts.fails("slow")
        while alerts.desk._channels[0][0]._tries < 3:
            time.sleep(0.01)  # nobody is told of a try
        assert "no answer within" in caplog.text
        web.hangs.set()
        assert "slow" in web.next().text
        alerts.fails("next")
        assert "next" in web.next().text
    assert web.taken.empty()


def test_unsent_messages_outlast_a_restart(office: Office, web: Web) -> None:
    section = f'urls = "json://farmer:s3cr3tpw@127.0.0.1:{web.port}/s3cr3tpath"'
    web.answers += [500] * 1000
    with office.open(section, last_words=2.0) as alerts:
        alerts.fails("before the restart")
        assert web.tried.get(timeout=10) == 500
    assert web.taken.empty()
    assert unsent(office) == ["job test worker 0000beef: failed: before the restart"]
    assert stat.S_IMODE(office.file.stat().st_mode) == 0o600
    assert "s3cr3t" not in office.file.read_text()
    web.answers.clear()
    with office.open(section):
        assert "before the restart" in web.next().text
    assert unsent(office) == []
    with office.open(section):
        pass
    assert web.taken.empty(), "it arrives once"


def test_messages_of_a_service_that_has_gone_are_forgotten(office: Office, web: Web) -> None:
    web.answers += [500] * 1000
    with office.open(f'urls = "json://127.0.0.1:{web.port}"') as alerts:
        alerts.fails()
        web.tried.get(timeout=10)
    web.answers.clear()
    with office.open(f'urls = "ntfy://127.0.0.1:{web.port}/topic"'):
        pass
    assert web.taken.empty()


def test_neither_too_many_nor_too_old_messages_are_kept(office: Office, web: Web) -> None:
    kept = Kept(office.file.parent, NOW)
    for number in range(MOST + 5):
        kept.add("main 1 (json://…)", Message(NOW, "t", str(number)))
    assert unsent(office) == [str(number) for number in range(5, MOST + 5)]
    kept.add("main 1 (json://…)", Message(NOW + OLDEST, "t", "the young one"))
    office.clock.time = NOW + OLDEST + 1
    with office.open(f'urls = "json://127.0.0.1:{web.port}"'):
        assert web.next().text.endswith("\nthe young one")
    assert web.taken.empty()


@pytest.mark.parametrize("text", ["", "{", '{"form": 99}', "[]", '{"form": 1, "unsent": 1}'])
def test_a_broken_file_of_kept_messages_stops_nothing(
    office: Office, web: Web, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    office.file.parent.mkdir(parents=True)
    office.file.write_text(text)
    with office.open(f'urls = "json://127.0.0.1:{web.port}"') as alerts:
        alerts.fails("all the same")
        assert "all the same" in web.next().text
    assert "cannot be used" in caplog.text


# The summary


@pytest.mark.parametrize(
    ("at", "first", "told"),
    [
        ("08:00", "2027-03-26T12:00", ["27 08:00", "28 08:00", "29 08:00", "30 08:00"]),
        ("08:00", "2027-10-29T12:00", ["30 08:00", "31 08:00", "01 08:00", "02 08:00"]),
        # 02:00 becomes 03:00 on March 28th; 02:30 is there twice on October 31st
        ("02:30", "2027-03-26T12:00", ["27 02:30", "28 03:30", "29 02:30", "30 02:30"]),
        ("02:30", "2027-10-29T12:00", ["30 02:30", "31 02:30", "01 02:30", "02 02:30"]),
    ],
)
def test_the_summary_comes_once_a_day_by_the_clock_on_the_wall(
    office: Office, web: Web, zone: Callable[[str], None], at: str, first: str, told: list[str]
) -> None:
    zone("Europe/Berlin")
    office.clock.time = datetime.fromisoformat(first).timestamp()
    came = []
    with office.open(f'urls = "json://127.0.0.1:{web.port}"\nsummary = "{at}"') as alerts:
        for _ in range(int(3.9 * 24 * 6)):
            since = alerts.kept.counts.since
            alerts.desk.tick()
            if alerts.kept.counts.since != since:
                came.append(f"{datetime.fromtimestamp(alerts.clock.time):%d %H:%M}")
                assert "0 plots since" in web.next().text
            alerts.clock.time += 600
    assert came == told
    assert web.taken.empty()


def test_the_summary_counts_over_restarts_and_is_made_up_for(
    office: Office, web: Web, zone: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    zone("UTC")
    office.clock.time = datetime.fromisoformat("2027-01-04T08:00").timestamp()
    section = f'urls = "json://127.0.0.1:{web.port}"\nsummary = "08:00"\nevents = ["summary"]'
    with office.open(section) as alerts:
        alerts.delivers(seconds=3600)
        alerts.delivers(seconds=None)
    free = 500_000_000
    monkeypatch.setattr(summary.shutil, "disk_usage", lambda _: _Usage(free))
    office.clock.time += 2 * DAY
    with office.open(section) as alerts:
        alerts.delivers(seconds=7200)
        alerts.fails()
        alerts.desk.tick()
        words = web.next().text.partition("\n")[2]
        alerts.desk.tick()
    assert words == (
        "3 plots since Mon 08:00, 1h 30m each; 1 failures. "
        "Free: 476.8 MiB, room for 500 plots (333.3 days)."
    )
    assert web.taken.empty()


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_a_dead_disk_does_not_delay_the_summary(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, gone = farm.root / "dead", farm.root / "gone"
    dead.mkdir()
    ask = summary.shutil.disk_usage
    never = threading.Event()

    def disk_usage(path: Path) -> object:
        if path == dead:
            never.wait()
        return ask(path)

    monkeypatch.setattr(summary.shutil, "disk_usage", disk_usage)
    farm.write(dst=[str(farm.root / "a"), str(dead), str(gone)], general='disk_timeout = "300ms"')
    settings = load_settings(farm.settings, load_plugins().schema())
    began = time.monotonic()
    known = summary.values(Counts(NOW, plot_bytes=1), settings, NOW + 1)
    never.set()
    assert 0.3 <= time.monotonic() - began < 5
    assert known["silent"] == f"{dead}, {gone}"
    assert int(known["room"]) > 0
    assert known["days"] == "?"


def test_the_summary_in_the_users_words(office: Office, web: Web) -> None:
    section = f"""
        urls = "json://127.0.0.1:{web.port}"
        summary = "08:00"
        [plugins.alerts.messages]
        summary = "%plots% made, %mean%, %failures% bad, room %room%"
    """
    with office.open(section) as alerts:
        alerts.delivers(size=10**30)
        alerts.clock.time += DAY
        alerts.desk.tick()
        assert web.next().text.endswith("\n1 made, 1h, 0 bad, room 0")


def test_causes_are_told_without_addresses() -> None:
    url = Url("json://farmer:pw@10.255.255.1/a%20b?x=short&+h=tok,en")
    words = url.without_secrets("farmer PW pwd http://10.255.255.1/a b token en short, a shorter")
    assert words == "… … pwd http://…/… token … …, a …er"
    refused = attempt.Attempt(Url("json://127.0.0.1:9/hidden"), "t", "b")
    assert refused.ended(10)
    assert refused.trouble is not None
    assert refused.trouble.endswith("connection refused")
    assert "hidden" not in refused.trouble
