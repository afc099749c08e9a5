import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.datasets.eeg3d_write import write_colours
from calibration.datasets.xlsx import read_table
from calibration.sets.errors import SetUnusable

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(path, sheet, shared=None, target="worksheets/sheet1.xml"):
    """A file as spreadsheet programs write it, with its strings in a table of their own."""
    parts = {
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="Colours" sheetId="4" r:id="rId7"/><sheet name="Other" sheetId="1" r:id="rId1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Target="nowhere.xml" Type="{OFFICE}/worksheet"/>'
        f'<Relationship Id="rId7" Target="{target}" Type="{OFFICE}/worksheet"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData>{sheet}</sheetData></worksheet>",
    }
    if shared is not None:
        parts["xl/sharedStrings.xml"] = f"<sst {MAIN}>{shared}</sst>"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


SHARED = (
    "<si><t>name</t></si><si><t>label</t></si><si><r><t>air</t></r><r><t>plane_00</t></r><rPh><t>えあ</t></rPh></si>"
)
HEAD = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'


@pytest.mark.parametrize("target", ["worksheets/sheet1.xml", "/xl/worksheets/sheet1.xml"])
def test_strings_from_the_table_and_numbers_from_the_cell(tmp_path, target):
    row = '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2"><v>3</v></c></row>'
    path = workbook(tmp_path / "t.xlsx", HEAD + row, SHARED, target)
    assert read_table(path) == [{"name": "airplane_00", "label": 3.0}]


def test_rows_that_are_only_formatted_are_left_out(tmp_path):
    rows = '<row r="2"><c r="A2" s="3"/><c r="B2" s="3"/></row><row r="3"/>'
    assert read_table(workbook(tmp_path / "t.xlsx", HEAD + rows, SHARED)) == []


def test_an_empty_cell_is_none_and_shifts_nothing(tmp_path):
    rows = '<row r="2"><c r="B2"><v>3</v></c></row><row r="3"><c r="A3" t="str"><v>x</v></c><c r="B3" s="1"/></row>'
    path = workbook(tmp_path / "t.xlsx", HEAD + rows, SHARED)
    assert read_table(path) == [{"name": None, "label": 3.0}, {"name": "x", "label": None}]


def test_cells_without_references_and_columns_beyond_z_keep_their_place(tmp_path):
    row = '<row><c t="inlineStr"><is><t>x</t></is></c><c><v>1e-1</v></c></row><row><c r="AB3"><v>9</v></c></row>'
    path = workbook(tmp_path / "t.xlsx", HEAD + row, SHARED)
    assert read_table(path)[0] == {"name": "x", "label": 0.1}


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1), st.integers(0, 5), min_size=1
    )
)
def test_what_we_write_is_read_back(tmp_path_factory, colours):
    path = tmp_path_factory.getbasetemp() / "colours.xlsx"
    write_colours(path, colours)
    assert {row["name"]: row["label"] for row in read_table(path)} == colours


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b"no zip"),
        lambda path: zipfile.ZipFile(path, "w").close(),
        lambda path: workbook(path, ""),
        lambda path: workbook(path, "<row><c t='s'><v>7</v></c></row>", SHARED),
        lambda path: workbook(path, "<row><c r='B1'><v>7</v></c><c r='A1'><v>7</v></c></row>"),
        lambda path: workbook(path, "<row><c r='ZZZZZZ1'><v>7</v></c></row>"),
        lambda path: workbook(path, "<row><c><v>seven</v></c></row>"),
        lambda path: workbook(path, "<row><c>"),
        lambda path: workbook(path, HEAD, SHARED, target="gone.xml"),
        lambda path: None,
    ],
)
def test_what_is_no_table_is_refused_and_named(tmp_path, make):
    make(tmp_path / "t.xlsx")
    with pytest.raises(SetUnusable, match=r"t\.xlsx"):
        read_table(tmp_path / "t.xlsx")


def test_neither_entities_nor_a_bomb_are_unpacked(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>'
    path = workbook(tmp_path / "t.xlsx", HEAD)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", bomb)
    with pytest.raises(SetUnusable):
        read_table(path)
    path = workbook(tmp_path / "u.xlsx", HEAD)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b" " * 30_000_000)
    with pytest.raises(SetUnusable, match="unpacks"):
        read_table(path)
