"""One member of a ZIP file, taken out with care."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile

import pytest

from scraping.errors import BadValue

CSV = b"bird,wing\nwren,5\nswift,17\n"


def packed(members: dict[str, bytes], **settings: int) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return whole.getvalue()


def test_one_member_of_a_zip_is_taken_out_and_checked(site, get):
    site["/all.zip"] = (200, {}, packed({"a/birds.csv": CSV, "b/birds.csv": b"other"}))
    path = get("/all.zip", member="a/birds.csv")
    assert path.read_bytes() == CSV
    assert path.name.endswith("-a_birds.csv")
    assert get("/all.zip", member="b/birds.csv").read_bytes() == b"other"
    path.write_bytes(CSV.replace(b"5", b"6"))
    assert get("/all.zip", member="a/birds.csv") == path
    assert path.read_bytes() == CSV
    assert site.asked["/all.zip"] == 1
    with pytest.raises(BadValue, match=r"no member 'birds.csv'; there is 'b/birds.csv'"):
        get("/all.zip", member="birds.csv")


def hostile() -> dict[str, bytes]:
    """ZIP files that mean harm, each with the member `x`."""
    made = {}
    link = zipfile.ZipInfo("x")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for name, entry in (("link", link), ("folder", zipfile.ZipInfo("x"))):
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as file:
            if name == "folder":
                entry.external_attr = stat.S_IFDIR << 16
            file.writestr(entry, "/etc/passwd")
        made[name] = whole.getvalue()
    made["bomb"] = packed({"x": bytes(2_000_000)})
    good = packed({"x": b"wren" * 200})
    lies = bytearray(packed({"x": bytes(2_000_000)}))
    at = lies.rfind(b"PK\x01\x02")
    lies[at + 24 : at + 28] = (100).to_bytes(4, "little")
    made["bomb that lies"] = bytes(lies)
    flagged = bytearray(good)
    flagged[flagged.rfind(b"PK\x01\x02") + 8] |= 1
    made["encrypted"] = bytes(flagged)
    made["cut"] = good[:40]
    made["damaged"] = good[:35] + b"\xff" * 5 + good[40:]
    made["no zip"] = b"wren" * 100
    made["empty"] = b""
    directory = bytearray(good)
    end = directory.rfind(b"PK\x05\x06")
    directory[end + 12 : end + 16] = (100_000_000).to_bytes(4, "little")
    made["huge table of contents"] = bytes(directory)
    method = bytearray(good)
    method[method.rfind(b"PK\x01\x02") + 10] = 99
    made["unknown method"] = bytes(method)
    return made


@pytest.mark.parametrize("case", hostile())
def test_a_zip_that_means_harm_gives_nothing(site, get, tmp_path, case):
    site["/all.zip"] = (200, {}, hostile()[case])
    with pytest.raises(BadValue):
        get("/all.zip", member="x", max_bytes=1_000_000)
    names = [entry.name for entry in (tmp_path / "pages/files").iterdir()]
    assert len(names) == 3
    assert not [name for name in names if name.endswith((".part", "-x"))]


def test_members_with_names_that_lead_elsewhere_stay_in_the_folder(site, get, tmp_path):
    names = ["../../evil", "/etc/passwd", "C:\\x\\y", "a\nb", "NUL", "..", "x" * 300]
    site["/all.zip"] = (200, {}, packed(dict.fromkeys(names, CSV)))
    for name in names:
        path = get("/all.zip", member=zipfile.ZipInfo(name).filename)
        assert path.parent == tmp_path / "pages" / "files"
        assert path.read_bytes() == CSV


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_packed_without_bounds_is_refused(site, get, packing):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", packing) as file:
        file.writestr("birds.csv", bytes(5_000_000))
    site["/all.zip"] = (200, {}, whole.getvalue())
    with pytest.raises(BadValue, match="another way than deflate"):
        get("/all.zip", member="birds.csv")


def test_a_table_of_contents_that_is_hidden_from_a_first_look_is_not_read(site, get):
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, *[0] * 8, 4, *[0] * 6)
    table = (entry + b"name") * 200_000
    end = struct.pack("<4sL2H2LH", b"PK\5\6", 0x06054B50, 65535, 65535, len(table), 0, 0)
    site["/all.zip"] = (200, {}, table + end)
    get("/all.zip")
    tracemalloc.start()
    with pytest.raises(BadValue, match="its table of contents has"):
        get("/all.zip", member="name")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
