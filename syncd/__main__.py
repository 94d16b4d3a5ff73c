"""`python -m syncd`, and the console script."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from syncd.cli.main import run  # noqa: PLC0415 - `--version` starts without it

    run()


if __name__ == "__main__":
    main()
