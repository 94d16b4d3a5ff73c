"""Writes the pages that the code knows best: `make docs`. With --check, says which ones are stale.

docs/reference/{configuration,events,cli,presets}.md and config.example.toml. Each page's text comes
from the room that owns the thing; this script only puts them together.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from syncd.cli.main import app
from syncd.config import document
from syncd.core.hours import preset_text
from syncd.core.hours.presets import presets

ROOT = Path(__file__).parents[1]
CLI_HEAD = """\
# Commands

Generated from `syncd/cli` by `make docs`; do not edit.
"""


def pages() -> dict[str, str]:
    """The generated files: path below the project's folder ▶ text."""
    return {
        **document.pages(document.kinds()),
        "docs/reference/cli.md": cli(),
        "docs/reference/presets.md": preset_text.page(presets().values()),
    }


def cli() -> str:
    """docs/reference/cli.md: each command with its arguments and options."""
    parts = [CLI_HEAD]
    for command, path in commands(typer.main.get_command(app), "syncd"):
        parts.append(f"## `{path}`\n\n{(command.help or '').strip()}\n")
        rows = [row for parameter in command.params if (row := described(parameter))]
        if rows:
            parts.append(
                "\n".join(["| parameter | default | meaning |", "| --- | --- | --- |", *rows])
            )
            parts.append("")
    return "\n".join(parts)


def commands(command: Any, path: str) -> Iterator[tuple[Any, str]]:
    """A command and everything below it, in the order in which `--help` lists them."""
    if not command.hidden:
        yield command, path
        for name, child in getattr(command, "commands", {}).items():
            yield from commands(child, f"{path} {name}")


def described(parameter: Any) -> str | None:
    """One row of a command's table; None for what is hidden."""
    if getattr(parameter, "hidden", False):
        return None
    if parameter.param_type_name == "argument":
        names = [parameter.metavar or str(parameter.name).upper()]
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
    default = parameter.default
    shown = "" if default in (None, False, (), []) or callable(default) else f"`{default}`"
    if default is True:
        shown = f"`{parameter.opts[0]}`"
    if parameter.required:
        shown = "required"
    meaning = (getattr(parameter, "help", None) or "").replace("|", "\\|").replace("\n", " ")
    return f"| {', '.join(f'`{name}`' for name in names)} | {shown} | {meaning} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; 1 when a page is stale"
    )
    check = parser.parse_args().check
    stale = 0
    for name, text in pages().items():
        path = ROOT / name
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        if written == text:
            continue
        stale += 1
        if check:
            lines = difflib.unified_diff(
                written.splitlines(), text.splitlines(), name, "as the code says", lineterm="", n=0
            )
            sys.stderr.write("\n".join([*list(lines)[:20], f"{name} is stale: run `make docs`\n"]))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stderr.write(f"docs: wrote {name}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
