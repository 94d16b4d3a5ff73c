"""An argument that is no text is refused by its place, and a path may have any bytes."""

from __future__ import annotations

import sys

import pytest

from syncd.cli import main
from syncd.cli.arguments import refuse_broken
from syncd.errors import ConfigError

BROKEN = b"caf\xe9".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("args", "number"),
    [
        (("explain", BROKEN), 2),
        (("cancel", "--yes", BROKEN), 3),
        (("leads", f"--state={BROKEN}"), 2),
        (("parked", "adopt", "7", BROKEN), 4),
        (("--config", "good.toml", BROKEN), 3),
    ],
)
def test_what_is_no_text_is_refused(args: tuple[str, ...], number: int) -> None:
    """Wherever it stands; the message names its place, and a hint says what to look at."""
    with pytest.raises(ConfigError, match=f"argument {number} is no text") as told:
        refuse_broken(args)
    assert "locale" in told.value.hint


@pytest.mark.parametrize(
    "args",
    [
        ("explain", "café", "--config", BROKEN),
        ("plan", "crm", "-c", BROKEN),
        ("demo", f"--folder={BROKEN}"),
        ("explain", "Ω 🙂"),
        (),
    ],
)
def test_a_path_and_every_text_are_taken(args: tuple[str, ...]) -> None:
    """The file system knows no encoding."""
    refuse_broken(args)


def test_the_command_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A usage message, not a bug; nothing was begun."""
    monkeypatch.setattr(sys, "argv", ["syncd", "explain", BROKEN])
    with pytest.raises(SystemExit) as ended:
        main.run()
    assert ended.value.code == 2
    assert "argument 2 is no text" in capsys.readouterr().err
