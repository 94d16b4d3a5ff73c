"""Importing the numbering registry: what is taken, what is refused, and what stays then."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from syncd.clock import SystemClock
from syncd.core.zones.registry import ATTRIBUTION
from syncd.errors import ConfigError, SyncdError, Transient
from syncd.ledger import whole_file
from syncd.numbering import bring, kept
from syncd.numbering.bring import Brought, bring_in
from syncd.numbering.download import Downloads
from syncd.numbering.kept import load_registry
from tests.registries import HEADER, made_csv, made_row

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MADE = made_csv().encode()
URL = "https://opendata.example/downloads/DEF-9xx.csv?v=secret"

Serve = Callable[[httpx.Request], httpx.Response]


def no_network(_request: httpx.Request) -> httpx.Response:
    """Files need none."""
    pytest.fail("a request was sent")


def import_into(place: Path, *names: str | Path, serve: Serve = no_network) -> Brought:
    """Import at NOW; `serve` is the network."""
    downloads = Downloads(SystemClock(), transport=httpx.MockTransport(serve))
    try:
        return bring_in([str(name) for name in names], place, downloads, now=NOW)
    finally:
        downloads.close()


def zipped(*names: str) -> bytes:
    """A zip with the made file under each name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, MADE)
    return file.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the table is kept; nothing is there yet."""
    return tmp_path / "state" / "numbering.bin"


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a table, imported once."""
    folder = tmp_path_factory.mktemp("imported")
    (folder / "DEF-9xx.csv").write_bytes(MADE)
    import_into(folder / "numbering.bin", folder / "DEF-9xx.csv")
    return (folder / "numbering.bin").read_bytes()


@pytest.fixture
def table(tmp_path: Path, place: Path, imported: bytes) -> bytes:
    """The bytes of a table that is in force, beside the file that it was made of."""
    place.parent.mkdir()
    (tmp_path / "DEF-9xx.csv").write_bytes(MADE)
    place.write_bytes(imported)
    return imported


def test_an_imported_file_answers(place: Path, table: bytes, tmp_path: Path) -> None:
    """The table is found again with its zones and all that is told about it."""
    place.unlink()
    before = os.umask(0o077)
    import_into(place, tmp_path / "DEF-9xx.csv")
    os.umask(before)
    registry = load_registry(place)
    assert registry is not None
    assert registry.zones_of("79000000009") == (("Europe/Moscow",), ())
    assert registry.zones_of("79000000010") == (("Europe/Samara",), ())
    assert registry.zones_of("79000000020") == (("Asia/Vladivostok",), ())
    assert registry.zones_of("79000150000") is None
    assert registry.about["imported_at"] == "2026-11-22T09:30:00+00:00"
    assert registry.about["files"] == [{"name": "DEF-9xx.csv", "rows": 15_000, "numbers": 150_000}]
    assert registry.about["unknown"] == []
    assert registry.about["attribution"] == ATTRIBUTION
    assert [path.name for path in place.parent.iterdir()] == ["numbering.bin"]
    assert place.stat().st_mode & 0o777 == 0o644, "root imports, syncd reads"


@pytest.mark.parametrize("packed", [gzip.compress(MADE, 1), zipped("DEF-9xx.csv")])
def test_packed_files(packed: bytes, table: bytes, place: Path, tmp_path: Path) -> None:
    """A packed file gives the same ranges, whatever it is called."""
    before = load_registry(place)
    (tmp_path / "file").write_bytes(packed)
    brought = import_into(place, tmp_path / "file")
    assert before is not None
    assert brought.registry.digest == before.digest


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "header"),
        (b"<html>busy</html>", "header"),
        (MADE.replace("Территория ГАР".encode(), "Регион".encode()), "header"),
        (MADE[: MADE.index(b"\n", 500_000) + 1], "rows are too few"),
        (MADE[:-40], "rows are not understood"),
        (MADE + made_row(900, 0, 0, "?").encode(), "overlap"),
        (MADE.decode().encode("cp1251", "replace"), "not UTF-8"),
        (gzip.compress(MADE, 1)[:-2000], "gzip file is cut or damaged"),
        (zipped("a.csv", "b.csv"), "2 files to choose from"),
    ],
)
def test_a_refused_file_keeps_the_table(
    content: bytes, what: str, place: Path, table: bytes, tmp_path: Path
) -> None:
    """Whatever is wrong with a file, the table in force stays as it was, byte for byte."""
    bad = tmp_path / "bad.csv"
    bad.write_bytes(content)
    with pytest.raises(ConfigError, match=what):
        import_into(place, bad)
    assert place.read_bytes() == table
    assert len(list(place.parent.iterdir())) == 1


def test_a_file_without_end(
    place: Path, table: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file over the limit is refused before it is read, and one that is not there by name."""
    monkeypatch.setattr(bring, "BYTES_MAX", 100_000)
    with pytest.raises(ConfigError, match="larger than 100,000 bytes"):
        import_into(place, tmp_path / "DEF-9xx.csv")
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        import_into(place, tmp_path / "none.csv")
    assert place.read_bytes() == table


def test_a_full_disk_keeps_the_table(
    place: Path, table: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the new table cannot be written whole, the old one stays and no part is left."""

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_file.os, "fsync", full)
    with pytest.raises(ConfigError, match="cannot be kept here: No space left"):
        import_into(place, tmp_path / "DEF-9xx.csv")
    assert place.read_bytes() == table
    assert [path.name for path in place.parent.iterdir()] == ["numbering.bin"]


def test_several_files_are_one_table(place: Path, table: bytes, tmp_path: Path) -> None:
    """Mobiles and landlines are imported together; what a later import lacks is told."""
    (tmp_path / "ABC-4xx.csv").write_text(made_csv(3, code=495), encoding="utf-8")
    both = import_into(place, tmp_path / "DEF-9xx.csv", tmp_path / "ABC-4xx.csv")
    assert both.lost == ()
    assert both.registry.zones_of("74950000000") == (("Europe/Moscow",), ())
    assert both.registry.about["numbers"] == {"4": 30, "9": 150_000}
    assert import_into(place, tmp_path / "DEF-9xx.csv").lost == ("4",)


def test_an_unknown_territory_is_told(place: Path, tmp_path: Path) -> None:
    """It is imported with all eleven clocks, and named with its size."""
    place.parent.mkdir()
    file = tmp_path / "new.csv"
    file.write_text(made_csv() + made_row(901, 0, 99, "Atlantis") + "\n\n", encoding="utf-8")
    registry = import_into(place, file).registry
    assert registry.about["unknown"] == [{"territory": "Atlantis", "numbers": 100}]
    found = registry.zones_of("79010000000")
    assert found is not None
    assert len(found[0]) == 11


def test_a_damaged_table_is_told_and_replaced(place: Path, table: bytes, tmp_path: Path) -> None:
    """Reading it says so with its place; an import replaces it."""
    place.write_bytes(table[:-1])
    with pytest.raises(ConfigError, match="cut or damaged") as told:
        load_registry(place)
    assert told.value.where == str(place)
    assert import_into(place, tmp_path / "DEF-9xx.csv").lost == ()
    assert place.read_bytes() == table


def test_no_table() -> None:
    """None where nothing was imported; a folder in its place is an error."""
    assert load_registry(None) is None
    assert load_registry(Path("/nonexistent/numbering.bin")) is None
    with pytest.raises(ConfigError, match="cannot be kept here"):
        load_registry(Path("/"))
    with pytest.raises(ConfigError, match="cannot be kept here"):
        kept.keep_registry(Path("/nonexistent/numbering.bin"), b"")


def test_a_download_follows_a_redirect(place: Path) -> None:
    """The file behind an address is imported; its name is the address's last part."""
    asked = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.path == "/new.csv":
            packed = {"Content-Encoding": "gzip"}
            return httpx.Response(200, headers=packed, stream=_Body(gzip.compress(MADE, 1)))
        return httpx.Response(302, headers={"Location": "/new.csv"})

    place.parent.mkdir()
    brought = import_into(place, URL, serve=serve)
    assert asked == [URL, "https://opendata.example/new.csv"]
    assert brought.registry.about["files"][0]["name"] == "DEF-9xx.csv"


class _Body(httpx.SyncByteStream):
    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def __iter__(self) -> object:  # type: ignore[override]
        yield self._raw


def test_a_page_of_an_error_with_status_200(place: Path, table: bytes) -> None:
    """The ministry's server answers so: the header shows it, and the table stays."""
    with pytest.raises(ConfigError, match="header"):
        import_into(place, URL, serve=lambda _: httpx.Response(200, stream=_Body(b"<html>")))
    assert place.read_bytes() == table


@pytest.mark.parametrize(
    ("answer", "kind", "what"),
    [
        (httpx.Response(503), Transient, "answered 503"),
        (httpx.Response(429), Transient, "answered 429"),
        (httpx.Response(404), ConfigError, "answered 404"),
        (httpx.Response(304), ConfigError, "answered 304"),
        (httpx.Response(301, headers={"Location": "http://x.example/"}), ConfigError, "https"),
        (httpx.Response(301, headers={"Location": "https://x:port/"}), ConfigError, "https"),
        (httpx.Response(302, headers={"Location": "/again"}), ConfigError, "redirects too often"),
        (httpx.ConnectError("x"), Transient, "cannot be downloaded"),
        (httpx.ReadTimeout("x"), Transient, "no answer in time"),
        (
            httpx.Response(200, headers={"Content-Encoding": "br"}, stream=_Body(b"x")),
            Transient,
            "packed in a way",
        ),
        (httpx.Response(200, stream=_Body(b"x" * 2000)), Transient, "longer than 1000 bytes"),
    ],
)
def test_a_failed_download(
    answer: httpx.Response | httpx.HTTPError,
    kind: type[SyncdError],
    what: str,
    place: Path,
    table: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is told by what to do next, without the address, and the table stays."""
    monkeypatch.setattr("syncd.numbering.download.BYTES_MAX", 1000)

    def serve(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return answer

    with pytest.raises(kind, match=what) as failed:
        import_into(place, URL, serve=serve)
    assert "secret" not in str(failed.value)
    assert place.read_bytes() == table


@pytest.mark.parametrize(
    "url", ["http://x.example/a", "https://u:p@x.example/a", "https://", "ftp://x"]
)
def test_only_https(url: str, place: Path) -> None:
    """Any other address is refused before a byte goes out."""
    with pytest.raises(ConfigError, match="only plain https"):
        import_into(place, url)


def test_a_header_alone_is_too_short(place: Path, tmp_path: Path) -> None:
    """A file with the right header and nothing below it is no registry."""
    (tmp_path / "DEF-9xx.csv").write_text(HEADER, encoding="utf-8")
    with pytest.raises(ConfigError, match="0 rows are too few"):
        import_into(place, tmp_path / "DEF-9xx.csv")
