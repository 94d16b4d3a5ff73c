"""What a value may be, and what is said of one that may not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.config.load import Loaded
from syncd.errors import Problem

Load = Callable[..., Loaded]
Refused = Callable[..., dict[str, Problem]]

TOKEN = "123.456.bAYx-not-a-real-token"
TOKEN_VARIABLE = "SYNCD_CAMPAIGNS__WELCOME__TOKEN"
ENV = {TOKEN_VARIABLE: TOKEN}


def changed(valid: str, old: str, new: str) -> str:
    assert old in valid
    return valid.replace(old, new)


@pytest.mark.parametrize(
    "value", ["30", "5 m", "", "-5m", "PT5M", "5M", "9" * 99 + "s", "999999999d" * 2]
)
def test_what_is_no_duration_is_refused(refused: Refused, valid: str, value: str) -> None:
    """A number without a unit means nothing; neither does another notation."""
    problem = refused(changed(valid, '"5m"', f'"{value}"'))["syncs.crm-leads.every"]
    assert problem.what in {
        "must be a duration with its unit",
        "is longer than any duration can be",
    }
    assert problem.hint


@pytest.mark.parametrize("value", ["0s", "999ms", "32d"])
def test_an_interval_has_bounds(refused: Refused, valid: str, value: str) -> None:
    """Neither a busy loop nor a schedule that never comes."""
    problem = refused(changed(valid, '"5m"', f'"{value}"'))["syncs.crm-leads.every"]
    assert problem.what == "is outside 1s to 31d"


def test_a_duration_that_is_no_text_is_refused(refused: Refused, valid: str) -> None:
    """`every = 5` says five of what?"""
    assert "unit" in refused(changed(valid, '"5m"', "5"))["syncs.crm-leads.every"].what


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("app.jaicp.com", "must be a URL with https://"),
        ("ftp://app.jaicp.com", "must be a URL with https://"),
        ("https://", "must be a URL with https://"),
        ("https://a b", "must be a URL with https://"),
        ("https://user:canary@app.jaicp.com", "user name or password"),
        ("https://app.jaicp.com?x=1", "query"),
        ("https://app.jaicp.com#x", "fragment"),
        ("https://app.jaicp.com/api/calls/campaign/canary/addPhones", "path of a method"),
        ("https://app.jaicp.com/api", "path of a method"),
        ("https://app.jaicp.com//x", "path that is not plain"),
        ("https://app.jaicp.com/../x", "path that is not plain"),
        ("https://app.jaicp.com:x", "is no URL"),
        ("https://[::1", "is no URL"),
        ("http://app.jaicp.com", "is http"),
        ("http://10.0.0.1:8080", "is http"),
    ],
)
def test_a_base_url_that_is_no_host_is_refused(
    refused: Refused, valid: str, url: str, said: str
) -> None:
    """The token travels in the path: the host has to be right, and the way encrypted."""
    problem = refused(changed(valid, "https://app.jaicp.com", url))["campaigns.welcome.base_url"]
    assert said in problem.what
    assert "canary" not in repr(problem)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://app.jaicp.com/", "https://app.jaicp.com"),
        ("https://calls.example.com/bots/", "https://calls.example.com/bots"),
        ("http://127.0.0.1:8642", "http://127.0.0.1:8642"),
        ("http://localhost:8642", "http://localhost:8642"),
        ("http://[::1]:8642", "http://[::1]:8642"),
    ],
)
def test_base_urls_that_are_taken(load_text: Load, valid: str, url: str, kept: str) -> None:
    """With https anywhere, http to this machine; a slash at the end is cut off."""
    loaded = load_text(changed(valid, "https://app.jaicp.com", url))
    assert loaded.settings.campaigns["welcome"].base_url == kept


def test_http_elsewhere_has_to_be_permitted(load_text: Load, valid: str) -> None:
    """An on-premises host behind a trusted network is possible, in words."""
    text = changed(
        valid,
        'base_url = "https://app.jaicp.com"',
        'base_url = "http://calls.internal"\nallow_insecure_http = true',
    )
    loaded = load_text(text)
    assert loaded.settings.campaigns["welcome"].base_url == "http://calls.internal"


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "is empty"),
        ("<token>", "placeholder"),
        ("your-token-here", "placeholder"),
        ("CHANGEME", "placeholder"),
        ("xxxx", "placeholder"),
        ("${TOKEN}", "placeholder"),
        ("https://app.jaicp.com/api/calls/campaign/1.2.canary/addPhones", "looks like a URL"),
        ("canary with spaces", "spaces"),
        ("canary\n", "spaces"),
        ("canary" * 200, "too long"),
    ],
)
def test_g1_what_is_no_token_is_refused_and_not_shown(
    refused: Refused, token: str, said: str
) -> None:
    """Forgotten placeholders and pasted URLs are told, without repeating them."""
    problem = refused(env={TOKEN_VARIABLE: token})["campaigns.welcome.token"]
    assert said in problem.what
    assert problem.hint
    assert "canary" not in repr(problem)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://db/syncd", "of no kind"),
        ("syncd.db", "of no kind"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///a.db?mode=ro", "query"),
        ("postgresql://u:canary@db", "names no database"),
        ("postgresql://[db/x", "is no URL"),
        ("postgresql://u@db/x?password=canary", "after the ?"),
        ("postgresql://u@db/x#y?a=b&sslPassword=canary", "after the ?"),
    ],
)
def test_a_ledger_url_that_cannot_work_is_refused(refused: Refused, url: str, said: str) -> None:
    """A ledger in memory would call everybody again; other databases are not known."""
    problem = refused(f'[ledger]\nurl = "{url}"\n', {})["ledger.url"]
    assert said in problem.what
    assert "canary" not in repr(problem)


@pytest.mark.parametrize(
    ("line", "key", "said"),
    [
        ("batch_size = 0", "batch_size", "must be at least 1"),
        ("batch_size = 20000", "batch_size", "must be at most 10000"),
        ("batch_size = true", "batch_size", "must be a whole number, without quotes"),
        ('batch_size = "100"', "batch_size", "must be a whole number, without quotes"),
        ("max_requests_per_second = 0", "max_requests_per_second", "must be at least 0.01"),
        ("max_requests_per_second = nan", "max_requests_per_second", "must be a finite number"),
        ('max_requests_per_second = "1"', "max_requests_per_second", "must be a number"),
        ('allow_insecure_http = "yes"', "allow_insecure_http", "must be true or false"),
        ("timeouts = 5", "timeouts", "must be a table"),
        ("timeouts = { read_s = 0 }", "timeouts.read_s", "must be more than 0"),
        ("timeouts = { reads = 1 }", "timeouts.reads", "is no key of syncd"),
        ("base_url = 5", "base_url", "must be a text in quotes"),
    ],
)
def test_bounds_and_types_are_strict(refused: Refused, line: str, key: str, said: str) -> None:
    """A truth is no number, a text is no number, and every number has bounds."""
    problem = refused(f"[campaigns.welcome]\n{line}\n")[f"campaigns.welcome.{key}"]
    assert said in problem.what


def test_g1_unknown_keys_are_refused_with_the_nearest_right_name(
    refused: Refused, valid: str
) -> None:
    """At every level: section, table, field of the mapping."""
    text = changed(valid, "batch_size", "batchsize")
    text = changed(text, "gmtZone", "gmtzone")
    text = changed(text, "[sources.crm]", "[source.crm]")
    problems = refused(text)
    assert problems["campaigns.welcome.batchsize"].hint == 'did you mean "batch_size"?'
    assert problems["syncs.crm-leads.map.gmtzone"].hint == 'did you mean "gmtZone"?'
    assert problems["source"].hint == 'did you mean "sources"?'


def test_all_problems_are_told_at_once(refused: Refused, valid: str, tmp_path: Path) -> None:
    """A wrong type in one table hides nothing in another; each has its place."""
    text = changed(valid, 'campaign = "welcome"', 'campaign = "welcom"')
    text = changed(text, 'source = "crm"', 'source = "nothing like it"')
    text = changed(text, 'every = "5m"', 'every = 5\ncron = "* *"\ntime_zone = "Europe/Londn"')
    text = changed(text, "batch_size = 100", "batch_size = 0")
    text = changed(text, 'default_region = "GB"', 'default_region = "UK"')
    problems = refused(text)
    sync = "syncs.crm-leads"
    assert set(problems) == {
        "campaigns.welcome.batch_size",
        f"{sync}.campaign",
        f"{sync}.source",
        sync,
        f"{sync}.every",
        f"{sync}.cron",
        f"{sync}.time_zone",
        f"{sync}.map.default_region",
    }
    assert problems[f"{sync}.campaign"].hint == 'did you mean "welcome"?'
    assert problems[f"{sync}.time_zone"].hint == 'did you mean "Europe/London"?'
    assert {problem.where for problem in problems.values()} == {str(tmp_path / "syncd.toml")}


def test_a_sync_needs_what_it_names(refused: Refused, valid: str) -> None:
    """Without any source the hint says what to add."""
    text = valid.replace('[sources.crm]\nkind = "csv"\npath = "exports/*.csv"\n', "")
    assert "add a table [sources.NAME]" in refused(text)["syncs.crm-leads.source"].hint


def test_a_sync_has_one_schedule(refused: Refused, valid: str) -> None:
    """Neither none nor two."""
    assert "no schedule" in refused(changed(valid, 'every = "5m"\n', ""))["syncs.crm-leads"].what
    both = changed(valid, 'every = "5m"\n', 'every = "5m"\ncron = "0 9 * * *"\n')
    assert "both" in refused(both)["syncs.crm-leads"].what


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("* * * *", "must have 5 fields"),
        ("61 * * * *", "is no cron expression"),
        ("x * * * *", "is no cron expression"),
        ("0 9 * * 1", "weekdays as numbers"),
        ("0 9 * * 1-5", "weekdays as numbers"),
    ],
)
def test_a_cron_that_cannot_be_meant_is_refused(
    refused: Refused, valid: str, cron: str, said: str
) -> None:
    """Weekdays by number too: cron's Monday is the scheduler's Tuesday."""
    text = changed(valid, 'every = "5m"', f'cron = "{cron}"')
    assert said in refused(text)["syncs.crm-leads.cron"].what


def test_a_cron_with_its_zone_is_taken(load_text: Load, valid: str) -> None:
    """Weekday names, steps and ranges."""
    cron = '*/10 9-18 * * mon-fri"\ntime_zone = "Europe/London'
    sync = load_text(changed(valid, 'every = "5m"', f'cron = "{cron}"')).settings.syncs["crm-leads"]
    assert (sync.cron, sync.time_zone) == ("*/10 9-18 * * mon-fri", "Europe/London")


@pytest.mark.parametrize("zone", ["../etc/passwd", "", "Nowhere/At All"])
def test_g1_a_zone_that_is_none_is_refused(refused: Refused, valid: str, zone: str) -> None:
    """Also one that would leave the folder of the zones."""
    text = changed(valid, 'every = "5m"', f'every = "5m"\ntime_zone = "{zone}"')
    assert refused(text)["syncs.crm-leads.time_zone"].what == "is no time zone"


@pytest.mark.parametrize("name", ["a b", "", "x" * 65, "имя", "a.b"])
def test_names_are_plain(refused: Refused, name: str) -> None:
    """A name has to work in variables, log lines and file names."""
    problems = refused(f'[campaigns."{name}"]\ntoken = "{TOKEN}"\n', {})
    (problem,) = problems.values()
    assert "is no name" in problem.what
    assert problem.key.startswith("campaigns.")


def test_a_policy_that_comes_later_is_refused(refused: Refused, valid: str) -> None:
    """Only what works today is taken."""
    text = changed(
        valid,
        "[syncs.crm-leads.map]",
        '[syncs.crm-leads.policy]\non_change = "call_twice"\n[syncs.crm-leads.map]',
    )
    assert refused(text)["syncs.crm-leads.policy.on_change"].what.startswith("must be 'ignore'")


def test_a_source_is_a_table_with_a_kind(refused: Refused) -> None:
    """A source without a kind, and one that is no table."""
    problems = refused('[sources]\nb = 5\n[sources.a]\npath = "x"\n', {})
    assert problems["sources.a.kind"].what == "is missing"
    assert problems["sources.b"].what == "must be a table"


@pytest.mark.parametrize(
    "written", ['["2026-12-31"]', "[2026-12-31]", '"2026-12-31"', "2026-12-31"]
)
def test_a_date_is_written_with_or_without_quotes(
    load_text: Load, valid: str, written: str
) -> None:
    """TOML has dates of its own, and people quote them; one date needs no list."""
    hours = f"[syncs.crm-leads.hours]\nclosed = {written}\nworking = {written}\n"
    read = load_text(f"{valid}\n{hours}").settings.syncs["crm-leads"].hours
    assert read.to_spec().closed == read.to_spec().working == ("2026-12-31",)


@pytest.mark.parametrize("written", ["31.12.2026", "2026-02-30", "20261231", "2026-W53-4"])
def test_what_is_no_date_is_refused(refused: Refused, valid: str, written: str) -> None:
    """A day that is not, or one in another order, is nobody's closed day."""
    hours = f'[syncs.crm-leads.hours]\nclosed = ["{written}"]\n'
    assert "date" in refused(f"{valid}\n{hours}")["syncs.crm-leads.hours.closed.0"].what
