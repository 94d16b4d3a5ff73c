"""What is found out by itself: encoding, delimiter, header; and what the options overrule."""

# ruff: noqa: RUF001 - Russian letters are what it is about

from __future__ import annotations

import io
from typing import Any

import pytest

from syncd.errors import ConfigError
from syncd.sources.csv_encoding import Encoding, find_encoding, settle_encoding

RUSSIAN = "имя;телефон\nИван Петров;+74950000001\nСофья Ёлкина;+74950000002\n"
GERMAN = "Name,Ort\nJörg Müller,Köln\nZoë,Überlingen\n"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "koi8_r", "cp866"],
)
def test_s2_russian_encodings_are_found(read_text: Any, encoding: str) -> None:
    """The encodings of Russian exports are told apart, with or without a byte order mark."""
    got = read_text(RUSSIAN.encode(encoding))
    assert got.columns == ("имя", "телефон")
    assert got.rows[1] == ["Софья Ёлкина", "+74950000002"]
    assert got.rows[0] == ["Иван Петров", "+74950000001"]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-32", "utf-16"])
def test_western_encodings_are_found(read_text: Any, encoding: str) -> None:
    """Umlauts in the Windows code page are not taken for Cyrillic."""
    assert read_text(GERMAN.encode(encoding)).rows[0] == ["Jörg Müller", "Köln"]


def test_capitals_do_not_mislead(read_text: Any) -> None:
    """A file in capitals is read in the right one of two code pages that swap their cases."""
    text = "ФИО;ТЕЛЕФОН\nИВАНОВ ИВАН;1\n"
    assert read_text(text.encode("cp1251")).columns == ("ФИО", "ТЕЛЕФОН")
    assert read_text(text.encode("koi8_r")).columns == ("ФИО", "ТЕЛЕФОН")


def test_first_letters_after_a_long_ascii_start_decide(read_text: Any) -> None:
    """A file whose first Cyrillic letter comes late is still read in its encoding."""
    head = "id,name\n" + "".join(f"{i},x\n" for i in range(50_000))
    got = read_text((head + "9,Иван\n").encode("cp1251"))
    assert got.rows[-1] == ["9", "Иван"]


def test_broken_bytes_cost_their_rows_only(read_text: Any) -> None:
    """UTF-8 that breaks here and there is UTF-8: the broken rows are bad, with line and column."""
    good = "".join(f"{i},Иван\n" for i in range(60_000)).encode()
    got = read_text(b"id,name\n" + good + b"7,\xcf\xf0\n" + "8,Анна\n".encode() + b"9,a,\xff\n")
    assert got.reasons == [(60_002, "encoding_invalid"), (60_004, "encoding_invalid")]
    assert [bad.column for bad in got.bad] == ["name", None]
    assert got.rows[-1] == ["8", "Анна"]
    assert len(got.rows) == 60_001


@pytest.mark.parametrize("broken", [b"M\xc3ller", b"M\xbcller", b"M\xfcller", b"\xd0van"])
@pytest.mark.parametrize("whole", ["Zoë", "Анна", "Łukasz", "Ann’s", "張偉"])
def test_one_damaged_byte_in_a_small_file(read_text: Any, whole: str, broken: bytes) -> None:
    """A damaged place among few whole characters costs its row: no name is read in a code page."""
    got = read_text(f"id,name\n1,{whole}\n2,".encode() + broken + b"\n3,Bob\n")
    assert got.rows == [["1", whole], ["3", "Bob"]]
    assert got.reasons == [(3, "encoding_invalid")]
    assert got.bad[0].column == "name"


def test_s2_half_a_file_in_another_encoding_costs_that_half(read_text: Any) -> None:
    """Where two programs wrote one file, what is UTF-8 is read, and the rest is rejected."""
    names = [f"{i},Müller\n" for i in range(20)]
    text = "".join(names)
    got = read_text(b"id,name\n" + text.encode() + text.encode("cp1252"))
    assert [row[1] for row in got.rows] == ["Müller"] * 20
    assert {reason for _, reason in got.reasons} == {"encoding_invalid"}
    assert got.pages[0].guessed == 'encoding = "utf-8"'


def test_one_damaged_byte_before_many_names(read_text: Any) -> None:
    """An early damaged byte does not speak for the names that come much later."""
    plain = "".join(f"{i},Bob\n" for i in range(60_000)).encode()
    got = read_text(b"id,name\n1,J\xc3rg\n" + plain + "9,Jörg Müller\n".encode() * 20)
    assert got.reasons == [(2, "encoding_invalid")]
    assert got.rows[-1] == ["9", "Jörg Müller"]


def test_signs_that_are_utf8_by_chance(read_text: Any) -> None:
    """A code page stays one, though now and then two of its signs are whole in UTF-8 too."""
    for text in ("»Spaß«, »ß»\nJörg,Köln\nZoë,Überlingen\n", GERMAN + "É»,Ö“\n"):
        got = read_text(text.encode("cp1252"))
        assert ["Zoë", "Überlingen"] in got.rows
        assert got.bad == []


@pytest.mark.parametrize(
    ("content", "guessed"),
    [
        (b"id,name\n1,Ann\n", ""),
        (GERMAN.encode(), ""),
        (b"\xef\xbb\xbf" + GERMAN.encode(), ""),
        (RUSSIAN.encode("cp1251"), ""),
        (RUSSIAN.encode("utf-16"), ""),
        (GERMAN.encode("cp1252"), 'encoding = "cp1252"'),
        (b"id,name\n1,M\xfcller\n", 'encoding = "cp1252"'),
        ("id,name\n1,Ян\n".encode("cp1251"), 'encoding = "cp1251"'),
        ("id,name\n1,Zoë\n2,".encode() + b"J\xc3rg\n", 'encoding = "utf-8"'),
    ],
)
def test_a_guess_is_told(read_text: Any, content: bytes, guessed: str) -> None:
    """Where the bytes leave it open what they are, each page names the option that settles it."""
    assert {page.guessed for page in read_text(content).pages} == {guessed}


def test_what_a_person_says_is_no_guess(read_text: Any) -> None:
    """With the option set nothing is told, whatever the bytes."""
    got = read_text(GERMAN.encode("cp1252"), encoding="cp1252")
    assert {page.guessed for page in got.pages} == {""}


WESTERN = [
    "nombre,ciudad\nMuñoz Peña,Málaga\nÍñigo Núñez,Cádiz\nBegoña,Logroño\n",
    "nom,ville\nFrançois Lefèvre,Orléans\nHélène,Besançon\nBenoît Côté,Nîmes\n",
    "nome,cidade\nJoão da Conceição,São Paulo\nAntônio,Maceió\nInês Simões,Évora\n",
    "namn,ort\nÅse Ödegård,Malmö\nMärta Åkesson,Växjö\n",
    "id,navn\n1,Søren\n2,Åge\n",
]


@pytest.mark.parametrize("text", WESTERN)
@pytest.mark.parametrize("times", [1, 100])
def test_western_names_keep_their_letters(read_text: Any, text: str, times: int) -> None:
    """Where two code pages make as much sense, it is the one that is in use in more places."""
    got = read_text((text + text.partition("\n")[2] * (times - 1)).encode("cp1252"))
    assert [",".join(map(str, row)) for row in got.rows] == text.splitlines()[1:] * times


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Łukasz Żółć,Śląsk\nWiśniewska Grażyna,Łódź\n"),
        ("gb18030", "张伟,北京市朝阳区\n王芳,上海\n李娜,联通公司\n"),
        ("big5", "張偉,臺北市信義區\n王芳,高雄\n陳怡君,林志明\n"),
        ("cp932", "山田太郎,東京都\n鈴木花子,大阪\nサトウ,ケンジ\n"),
        ("cp949", "김민수,서울특별시\n이영희,부산\n"),
    ],
)
def test_other_code_pages_are_found(read_text: Any, encoding: str, text: str) -> None:
    """Names in the code pages of other places are read, and what they are is told as a guess."""
    got = read_text(("name,city\n" + text).encode(encoding))
    assert [",".join(map(str, row)) for row in got.rows] == text.splitlines()
    assert {page.guessed for page in got.pages} == {f'encoding = "{encoding}"'}


@pytest.mark.parametrize(
    ("encoding", "text"), [("cp1253", "Γεώργιος,Αθήνα\n"), ("cp1255", "ישראל,חיפה\n")]
)
def test_other_letters_are_not_surely_cyrillic(read_text: Any, encoding: str, text: str) -> None:
    """Letters that could be Cyrillic ones, but are not the common ones, are a guess at best."""
    got = read_text(("name,city\n" + text * 20).encode(encoding))
    assert all(page.guessed for page in got.pages)


def test_different_broken_bytes_have_different_digests(read_text: Any) -> None:
    """The raw bytes make the digest, though they are no text."""
    got = read_text(b"id,name\n1,\xff\n1,\xfe\n1,\xff\n", encoding="utf-8")
    digests = [bad.digest for bad in got.bad]
    assert digests[0] == digests[2] != digests[1]


def test_broken_utf16(read_text: Any) -> None:
    """Half a pair in UTF-16, and an odd byte at the end, are bad rows and no crash."""
    raw = "id,name\n1,a\n2,X\n3,c\n".encode("utf-16-le").replace(b"X\0", b"\x00\xd8")
    got = read_text(b"\xff\xfe" + raw + b"4", last_line_after="0s")
    assert (3, "encoding_invalid") in got.reasons
    assert ["3", "c"] in got.rows
    assert got.reasons[-1][0] == 5


def test_given_encoding_wins_and_marks_are_taken_off(read_text: Any) -> None:
    """The encoding of the options is used; a byte order mark never becomes part of a name."""
    assert read_text("имя,b\n1,2\n".encode("cp1251"), encoding="cp1251").columns[0] == "имя"
    assert read_text(b"\xef\xbb\xbfid,b\n1,2\n", encoding="UTF8").columns == ("id", "b")
    assert read_text("id,b\n1,2\n".encode("utf-16"), encoding="utf-16").columns == ("id", "b")


@pytest.mark.parametrize(
    ("given", "sample", "expected"),
    [
        ("utf-16", b"\xfe\xff\0a", ("utf-16-be", 2)),
        ("utf-16", b"a\0", ("utf-16-le", 0)),
        ("utf-8-sig", b"\xef\xbb\xbfa", ("utf-8", 3)),
        ("utf-8", b"abc", ("utf-8", 0)),
        ("cp1251", b"\xff\xfeab", ("cp1251", 0)),
        ("utf-32", b"\xff\xfe\0\0", ("utf-32-le", 4)),
    ],
)
def test_byte_order_of_a_given_encoding(
    given: str, sample: bytes, expected: tuple[str, int]
) -> None:
    """A given encoding without byte order takes it from the mark, else little-endian."""
    assert settle_encoding(given, sample) == Encoding(*expected)


def test_unclear_bytes_have_no_encoding() -> None:
    """Bytes that are text in no likely encoding are not guessed."""
    assert find_encoding(io.BytesIO(bytes(range(128, 256)) * 8 + b"\0\x01\x02\xff").read) is None


def test_s2_unclear_encoding_is_an_error_with_a_hint(read_text: Any) -> None:
    """A person has to name an encoding that cannot be told."""
    with pytest.raises(ConfigError, match="encoding") as caught:
        read_text(bytes(range(128, 256)) * 8 + b"\0\x01\x02\xff")
    assert "set encoding" in caught.value.hint


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(read_text: Any, delimiter: str) -> None:
    """The four usual delimiters are told from the names and rows."""
    text = "id,note,sum\n1,x,2\n2,y,3\n".replace(",", delimiter)
    assert read_text(text).columns == ("id", "note", "sum")


def test_other_delimiter_can_be_given(read_text: Any) -> None:
    """Any other character has to be said."""
    assert read_text("id^a\n1^2\n", delimiter="^").rows == [["1", "2"]]


def test_title_lines_over_the_header_are_left_out(read_text: Any) -> None:
    """Lines of one value over the names are no records; the line numbers count them."""
    got = read_text("Leads of the week\n\nid,name\n1,a\n2,b\n")
    assert got.columns == ("id", "name")
    assert got.lines == [4, 5]


def test_header_line_can_be_given(read_text: Any) -> None:
    """With header = 3 the names stand on line 3, whatever is over it."""
    got = read_text("a,b\nc,d\n1,2\n3,4\n", header=3)
    assert got.columns == ("1", "2")
    assert got.rows == [["3", "4"]]


def test_header_over_several_lines(read_text: Any) -> None:
    """A name may hold a line end."""
    got = read_text('id,"full\nname"\n1,a\n')
    assert got.columns == ("id", "full\nname")
    assert got.lines == [3]


@pytest.mark.parametrize("cell", ["42", "+1 212 555 0100", "2026-11-02", "a@example.com"])
def test_data_is_not_taken_for_names(read_text: Any, cell: str) -> None:
    """A first row that looks like data is refused rather than lost as a header."""
    with pytest.raises(ConfigError, match="no header") as caught:
        read_text(f"Anna,{cell}\nBoris,{cell}\n")
    assert "columns" in caught.value.hint


def test_without_header(read_text: Any) -> None:
    """With header = false every row is a record under the given names."""
    got = read_text("1,a\n2,b\n", header=False, columns=["id", "name"])
    assert got.columns == ("id", "name")
    assert got.lines == [1, 2]


def test_given_columns_and_a_header_that_repeats_them(read_text: Any) -> None:
    """Names that are given are recognised when the file has them too; else all rows are records."""
    options = {"columns": ["id", "name"]}
    assert read_text("ID, Name\n1,a\n", **options).rows == [["1", "a"]]
    assert read_text("1,a\n2,b\n", **options).rows == [["1", "a"], ["2", "b"]]


def test_header_below_the_sample_is_an_error(read_text: Any) -> None:
    """A header line that the file does not have is a mistake in the options."""
    with pytest.raises(ConfigError, match="header is not in the first lines"):
        read_text("a,b\n1,2\n", header=9)


def test_header_with_broken_bytes_is_an_error(read_text: Any) -> None:
    """Names that are no text cannot be mapped."""
    with pytest.raises(ConfigError, match="no text"):
        read_text(b"id,\xff\n1,2\n", encoding="utf-8")


def test_s13_too_many_columns_are_an_error(read_text: Any) -> None:
    """A header of thousands of names is no export of leads."""
    with pytest.raises(ConfigError, match="5000 columns"):
        read_text(",".join(f"c{i}" for i in range(5000)) + "\n")


@pytest.mark.parametrize("start", ["x" * 200_000, "\n" * 200_000])
def test_a_start_without_header_is_an_error(read_text: Any, start: str) -> None:
    """A first line without end, or endless blanks, are refused and not read for ever."""
    with pytest.raises(ConfigError, match="without a header"):
        read_text(start + "\nid,b\n1,2\n")


@pytest.mark.parametrize("content", ["\n\n  \n", "id,name\n", "\ufeff"])
def test_no_records(read_text: Any, content: str) -> None:
    """A file of blanks or names alone is done with one page that only moves the cursor."""
    got = read_text(content)
    assert (got.rows, got.bad, len(got.pages)) == ([], [], 1)


def test_one_column_with_delimiters_in_its_text(read_text: Any) -> None:
    """In a list of one column a comma now and then is text."""
    got = read_text("note\nhello, dear\nfoo\nbar\n")
    assert got.rows[0] == ["hello, dear"]
