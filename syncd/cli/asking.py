"""Asks the person before something that cannot be undone; a program has to say --yes."""

from __future__ import annotations

import getpass
import os
import sys

import typer

from syncd.errors import EXIT_INCOMPLETE, ConfigError


def is_person() -> bool:
    """Whether somebody at a terminal gave the command."""
    return sys.stdin.isatty()


def _must_be_person() -> None:
    if not is_person():
        raise ConfigError("this needs a confirmation", hint="give --yes where nobody can answer")


def confirm_by_name(name: str) -> None:
    """Have the name typed; another answer ends the command with 1."""
    _must_be_person()
    if typer.prompt(f'Type "{name}" to go on', default="", show_default=False, err=True) != name:
        typer.echo("nothing was done", err=True)
        raise typer.Exit(EXIT_INCOMPLETE)


def confirm(question: str) -> None:
    """Have a yes typed; another answer ends the command with 1."""
    _must_be_person()
    if not typer.confirm(question, err=True):
        typer.echo("nothing was done", err=True)
        raise typer.Exit(EXIT_INCOMPLETE)


def person() -> str:
    """Who gives the command, as the machine knows them, for the journal."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return f"user {os.getuid()}"
