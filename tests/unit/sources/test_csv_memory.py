"""Memory does not grow with the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import resource, sys
from datetime import UTC, datetime
from syncd.sources.csv_file import CsvSource
now = datetime(2036, 1, 1, tzinfo=UTC)
def read(path):
    source = CsvSource.open("crm", CsvSource.Options(path=path))
    return sum(len(page.rows) + len(page.bad) for page in source.read(None, now=now))
read(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = read(sys.argv[2])
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
HEADER = "id,name,phone,city,note\n"


def _write(path: Path, rows: int, every: str = "") -> int:
    with path.open("w") as file:
        file.write(HEADER)
        for i in range(rows):
            file.write(f"{i},Anna {i},+12125550100,Berlin,a note that says nothing\n")
            if every and i % 1000 == 0:
                file.write(every)
    return path.stat().st_size


@pytest.mark.parametrize("every", ["", '1,"open\n', "1,2\n"], ids=["plain", "open", "short"])
def test_s11_peak_is_flat_from_20_000_to_200_000_rows(tmp_path: Path, every: str) -> None:
    """Ten times the rows cost no more memory, in good files and in troubled ones."""
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    _write(small, 20_000, every)
    size = _write(large, 200_000, every)
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, small, large], capture_output=True, text=True, check=True
    )
    count, grown_kib = map(int, ran.stdout.split())
    assert count == 200_000 + (200 if every else 0)
    assert grown_kib * 1024 < size / 4


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "never closed"])
def test_peak_is_flat_from_4_to_24_megabytes_in_one_value(tmp_path: Path, closed: bool) -> None:
    """A quoted value costs no more memory the longer it is, whether it ever closes or not."""
    paths, lines = [tmp_path / "small.csv", tmp_path / "large.csv"], 0
    row = "1,Anna,+12125550100,Berlin,a note that says nothing and is read by nobody\n"
    for path, lines in zip(paths, (50_000, 330_000), strict=True):
        text = f'0,"Anna\n{row * lines}' + f'",+12125550100,Berlin,a note\n{row}' * closed
        path.write_text(HEADER + text)
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *paths], capture_output=True, text=True, check=True
    )
    count, grown_kib = map(int, ran.stdout.split())
    assert count == (2 if closed else lines + 1)
    assert grown_kib * 1024 < paths[1].stat().st_size / 4
