"""Ugly exports: what is a record, what is bad, and that nothing is silently skipped."""

from __future__ import annotations

import csv
from typing import Any

import pytest

HEADER = "id,name,phone\n"


def test_quoted_newlines_keep_their_line_numbers(read_text: Any) -> None:
    """A value may hold line ends; the row stands at the line where it begins."""
    got = read_text(HEADER + '1,"Anna\nMaria",10\n2,"x\r\ny",20\n3,z,30\n')
    assert got.rows == [["1", "Anna\nMaria", "10"], ["2", "x\r\ny", "20"], ["3", "z", "30"]]
    assert got.lines == [2, 4, 6]
    assert got.bad == []


def test_semicolons_with_decimal_commas(read_text: Any) -> None:
    """A comma inside numbers is no delimiter when the names are split by semicolons."""
    got = read_text("id;sum;rate\n1;2,50;3,1\n2;3,75;0,5\n")
    assert got.columns == ("id", "sum", "rate")
    assert got.rows[0] == ["1", "2,50", "3,1"]


def test_blank_lines_are_no_records(read_text: Any) -> None:
    """Empty lines, lines of blanks and the DOS end-of-file mark are skipped, but counted."""
    got = read_text("\n" + HEADER + "\n1,a,10\n   \n\r\n2,b,20\n\x1a\n")
    assert got.rows == [["1", "a", "10"], ["2", "b", "20"]]
    assert got.lines == [4, 7]
    assert got.bad == []


def test_row_of_empty_values_is_a_record(read_text: Any) -> None:
    """Delimiters alone are a record of empty values: it is the mapping that refuses it."""
    assert read_text(HEADER + ",,\n").rows == [["", "", ""]]


def test_repeated_and_missing_names(read_text: Any) -> None:
    """A repeated name gets a number, an empty one the number of its column; blanks are cut off."""
    got = read_text("name, name ,,name_2,name\na,b,c,d,e\n")
    assert got.columns == ("name", "name_3", "column_3", "name_2", "name_4")


def test_short_and_long_rows_are_bad(read_text: Any) -> None:
    """A row of another width than the header is bad, with line, reason, digest."""
    got = read_text(HEADER + "1,a\n2,b,20\n3,c,30,\n4,d,40\n")
    assert got.rows == [["2", "b", "20"], ["4", "d", "40"]]
    assert got.reasons == [(2, "row_too_short"), (4, "row_too_long")]
    assert got.bad[0].detail == "2 values for 3 columns"
    assert len({bad.digest for bad in got.bad}) == 2


def test_digest_tells_the_content_not_the_place(box: Any) -> None:
    """The same bad row has the same digest at another line and with another line end."""
    box.put(HEADER + "1,a\n", "one.csv")
    box.put(HEADER + "2,b,20\n1,a\r\n", "two.csv")
    one, two = box.read("one.csv").bad[0], box.read("two.csv").bad[0]
    assert one.digest == two.digest
    assert one.line != two.line


def test_s10_nul_bytes_are_bad(read_text: Any) -> None:
    """A NUL in a value makes this record bad, and names the column."""
    got = read_text(HEADER + "1,a\0b,10\n2,b,20\n3,c,30,\0\n")
    assert got.reasons == [(2, "nul_byte"), (4, "nul_byte")]
    assert [bad.column for bad in got.bad] == ["name", None]
    assert got.rows == [["2", "b", "20"]]


def test_long_field_is_bad_and_the_rest_flows(read_text: Any) -> None:
    """A value over the limit makes its record bad; one at the limit is good."""
    got = read_text(HEADER + f"1,{'x' * 101},1\n2,{'y' * 100},2\n3,z,3\n", field_bytes_max=100)
    assert got.reasons == [(2, "field_too_long")]
    assert got.bad[0].column == "name"
    assert [row[0] for row in got.rows] == ["2", "3"]


def test_long_field_over_several_lines_is_one_bad_record(read_text: Any) -> None:
    """A quoted value of many short lines is over the limit as a whole."""
    got = read_text(HEADER + '1,"' + "word\n" * 50 + '",1\n3,z,3\n', field_bytes_max=100)
    assert got.reasons == [(2, "field_too_long")]
    assert "lines 2 to 52" in got.bad[0].detail
    assert got.lines == [53]


def test_field_limit_above_that_of_the_csv_module(read_text: Any) -> None:
    """A limit above the module's own is honoured: the module's is only ever raised."""
    limit = 2 * csv.field_size_limit()
    got = read_text(
        HEADER + f'1,{"x" * limit},1\n2,"{"a" * limit}\nb",2\n3,z,3\n',
        field_bytes_max=limit,
        record_bytes_max=4 * limit,
    )
    assert got.reasons == [(3, "field_too_long")]
    assert [row[0] for row in got.rows] == ["1", "3"]
    assert csv.field_size_limit() >= limit


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_s10_a_field_of_ten_megabytes(read_text: Any, quote: str, end: str) -> None:
    """A line of 10 MB is bad as one record, whatever its quotes; the rows around it flow."""
    huge = f"2,{quote}{'x' * 10_000_000}{quote},20"
    got = read_text(end.join(["id,name,phone", "1,a,10", huge, "3,c,30", ""]))
    assert got.reasons == [(3, "record_too_long")]
    assert got.bad[0].digest
    assert got.lines == [2, 4]


def test_quoted_megabytes_with_line_ends_are_one_bad_record(read_text: Any) -> None:
    """A closed quote over 1.5 MB of short lines costs its own record and no other."""
    text = ("x" * 99 + "\n") * 15_000
    got = read_text(HEADER + f'1,a,10\n2,"{text}",20\n3,c,30\n')
    assert got.reasons == [(3, "field_too_long")]
    assert got.lines == [2, 15_004]


def test_s1_open_quote_does_not_swallow_the_rest(read_text: Any) -> None:
    """A quote that never closes costs the line where it opened; the next lines are read."""
    rows = "".join(f"{i},b,20\n" for i in range(3, 5_000))
    got = read_text(HEADER + '1,a,10\n2,"b,20\n' + rows)
    assert got.reasons == [(3, "quote_open")]
    assert [row[0] for row in got.rows] == ["1", *map(str, range(3, 5_000))]


def test_open_quote_is_bounded(read_text: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more text than the bound is held for a closing quote, however long the file."""
    monkeypatch.setattr("syncd.sources.csv_grammar.OPEN_CHARS_MAX", 300_000)
    rows = "".join(f"{i},b,20\n" for i in range(3, 120_000))
    got = read_text(HEADER + '1,a,10\n2,"b,20\n' + rows + '9,"",1\n')
    assert got.reasons == [(3, "quote_open")]
    assert len(got.rows) == 1 + 120_000 - 3 + 1


def test_open_quote_before_quoted_rows(read_text: Any) -> None:
    """The next quote in the file does not close it: text follows, so one line is bad."""
    got = read_text(HEADER + '1,"a,10\n2,b,20\n3,"c",30\n4,"d",40\n')
    assert got.reasons == [(2, "quote_open")]
    assert [row[0] for row in got.rows] == ["2", "3", "4"]


def test_open_quote_that_closes_by_chance(read_text: Any) -> None:
    """A stray quote that ends properly later, but ate whole rows, gives these rows back."""
    got = read_text(HEADER + '1,"a,10\n2,b,20\n3,c",30,x\n4,d,40\n')
    assert got.reasons == [(2, "quote_open"), (4, "row_too_long")]
    assert [row[0] for row in got.rows] == ["2", "4"]


def test_wrong_width_over_lines_is_one_bad_record(read_text: Any) -> None:
    """A long comment in a row of the wrong width is no rows: one bad record over its lines."""
    got = read_text(HEADER + '1,"dear\nall of\nyou"\n2,b,20\n')
    assert got.reasons == [(2, "row_too_short")]
    assert got.lines == [5]


def test_open_quote_before_a_line_that_is_too_long(read_text: Any) -> None:
    """An open quote ends where a line is too long to be held; both are bad, the rest flows."""
    got = read_text(HEADER + '1,"a,10\n2,' + "x" * 3_000_000 + ",3\n4,d,40\n")
    assert got.reasons == [(2, "quote_open"), (3, "record_too_long")]
    assert got.rows == [["4", "d", "40"]]


def test_text_after_a_closing_quote_is_bad(read_text: Any) -> None:
    """Quotes inside a quoted value have to be doubled: guessing would change the value."""
    got = read_text(HEADER + '1,"OOO "Romashka"",10\n2,"OOO ""Romashka""",20\n')
    assert got.reasons == [(2, "quote_malformed")]
    assert got.rows == [["2", 'OOO "Romashka"', "20"]]


def test_quote_inside_an_unquoted_value_is_text(read_text: Any) -> None:
    """A quote that does not begin a value is a character like others."""
    assert read_text(HEADER + '1,3" pipe,10\n').rows == [["1", '3" pipe', "10"]]


def test_no_quotes_at_all(read_text: Any) -> None:
    """With quote = "" a quote is always text; an overlong value is still bad alone."""
    csv.field_size_limit(131_072)
    huge = "x" * 200_000
    got = read_text(HEADER + f'1,"a,10\n2,{huge},20\n3,b",30\n', quote="")
    assert [row[1] for row in got.rows] == ['"a', 'b"']
    assert got.reasons == [(3, "field_too_long")]


def test_single_quotes_are_found(read_text: Any) -> None:
    """Values in single quotes are seen; an apostrophe in a name is not."""
    quoted = read_text("'id','name'\n'1','a,b'\n'2','c'\n")
    assert quoted.rows == [["1", "a,b"], ["2", "c"]]
    assert read_text("id,name\n1,O'Hara\n2,'t Hooft\n").rows[1] == ["2", "'t Hooft"]


def test_lone_carriage_returns_end_lines(read_text: Any) -> None:
    """An old export with bare carriage returns is read; so is a mix of line ends."""
    got = read_text("id,name\r1,a\r2,b\r\n3,c\n")
    assert got.rows == [["1", "a"], ["2", "b"], ["3", "c"]]
    assert got.lines == [2, 3, 4]


def test_other_separators_of_unicode_end_no_line(read_text: Any) -> None:
    """Form feeds, U+2028 and the like are text in a value."""
    got = read_text("id,name\n1,a\u2028b\x0cc\x85d\x1ce\n")
    assert got.rows == [["1", "a\u2028b\x0cc\x85d\x1ce"]]


@pytest.mark.parametrize("line", ["sep=;\n", "SEP=;\r\n"])
def test_delimiter_announced_for_excel(read_text: Any, line: str) -> None:
    """Excel's first line names the delimiter and is no header."""
    got = read_text(line + "a,b;c\n1;2\n")
    assert got.columns == ("a,b", "c")
    assert got.lines == [3]


def test_one_column(read_text: Any) -> None:
    """A list of one column is read; here a line without anything is blank, two quotes are not."""
    got = read_text('phone\n+12125550100\n\n""\n')
    assert got.rows == [["+12125550100"], [""]]


def test_bad_records_alone_are_paged(read_text: Any) -> None:
    """Pages are bounded by rows and bad records together, and keep the order of the file."""
    got = read_text(HEADER + "1\n2,b,20\n3\n4\n5,e,50\n" * 3, page_records=2)
    sizes = [len(page.rows) + len(page.bad) for page in got.pages]
    assert max(sizes) == 2
    assert sum(sizes) == 15
    for page in got.pages:
        assert page.lines == sorted(page.lines)
    assert len(got.bad) == 9
