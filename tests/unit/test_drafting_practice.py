"""A practice's own files: read from folders, named in errors, and counted for the whole process until taken back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from drafting import practice
from drafting.checks import findings
from drafting.core import draft
from drafting.formats import keys, named
from drafting.packs import packs_of
from drafting.practice import BadPractice, Practice
from drafting.practice_files import read_practice
from streaming.cli import main
from streaming.types import NoteContext, Transcript

pytestmark = pytest.mark.unit

FORMAT = """
key = "short"
title = "Short note"
[[section]]
name = "Safety"
  [[section.part]]
  kind = "risk"
"""
PACK = """
key = "{key}"
title = "Ours"
source = "Our handbook"
dated = "2026-02-01"
[[rule]]
id = "room"
severity = "info"
message = "Say which room it was: the handbook asks for it."
needs = "words"
words = ["room"]
"""


@pytest.fixture(autouse=True)
def _taken_back() -> Iterator[None]:
    yield
    practice.use(Practice())


def folder(tmp_path: Path, **files: str) -> Path:
    tmp_path.mkdir(exist_ok=True)
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_practice_s_format_is_one_of_the_formats(tmp_path: Path) -> None:
    practice.use(read_practice(formats_dir=folder(tmp_path, a=FORMAT)))
    assert "short" in keys()
    assert [part.name for part in draft(Transcript((), {}), "short").sections] == ["Safety"]
    practice.use(Practice())
    assert "short" not in keys()


def test_a_practice_may_put_its_own_in_the_place_of_one_that_comes_along(tmp_path: Path) -> None:
    practice.use(read_practice(formats_dir=folder(tmp_path, a=FORMAT.replace('"short"', '"soap"'))))
    assert named("soap").title == "Short note"


def test_a_practice_s_pack_counts_for_all_or_for_a_payer_alone(tmp_path: Path) -> None:
    own = folder(tmp_path, a=PACK.format(key="ours"))
    practice.use(read_practice(packs_dir=own))
    assert "ours" in {pack.key for pack in packs_of(NoteContext())}
    practice.use(read_practice(packs_dir=own, payer_packs={"Acme Health": ["ours"]}))
    assert "ours" not in {pack.key for pack in packs_of(NoteContext())}
    assert "ours" in {pack.key for pack in packs_of(NoteContext(payer="acme health"))}
    transcript = Transcript((), {}, (), NoteContext(payer="acme health"))
    assert "room" in {one.rule for one in draft(transcript).checks}
    assert "room" not in {one.rule for one in findings(draft(transcript), (), transcript, named("soap"), packs=())}


@pytest.mark.parametrize(
    "files, says",
    [
        ({"bad": FORMAT.replace('"risk"', '"danger"')}, "bad.toml: section[0].part[0].kind"),
        ({"bad": FORMAT.replace("[[section]]", "[[section")}, "bad.toml: The format file is not TOML"),
        ({"bad": FORMAT.replace("title", "titel")}, "Did you mean title"),
        ({"one": FORMAT, "two": FORMAT}, "two.toml: key is short"),
    ],
)
def test_a_format_file_that_is_wrong_is_named_with_its_field(
    tmp_path: Path, files: dict[str, str], says: str
) -> None:
    with pytest.raises(BadPractice) as raised:
        read_practice(formats_dir=folder(tmp_path, **files))
    assert says in str(raised.value)


def test_where_toml_breaks_off_the_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPractice, match="line 3"):
        read_practice(packs_dir=folder(tmp_path, bad=PACK.format(key="ours").replace('"Ours"', '"Ours')))


def test_what_is_named_and_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadPractice, match="formats_dir"):
        read_practice(formats_dir=tmp_path / "nowhere")
    with pytest.raises(BadPractice, match=r"words\.toml"):
        read_practice(wording_file=tmp_path / "words.toml")
    with pytest.raises(BadPractice, match="payer_packs"):
        read_practice(payer_packs={"acme": ["nope"]})


def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadPractice, match=r"a\.toml: not UTF-8"):
        read_practice(packs_dir=tmp_path)
    (tmp_path / "a.toml").write_bytes(b"#" * (257 * 1024))
    with pytest.raises(BadPractice, match="larger"):
        read_practice(packs_dir=tmp_path)


def test_a_wording_file(tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    path.write_text('[terms]\nclient = "member"\n', encoding="utf-8")
    made = read_practice(wording_file=path)
    assert made.wording is not None
    assert made.wording.terms["client"] == "member"
    path.write_text('[terms]\nclient = ""\n', encoding="utf-8")
    with pytest.raises(BadPractice, match=r"words\.toml: terms\.client"):
        read_practice(wording_file=path)


def test_the_command_line_takes_a_practice_s_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = tmp_path / "talk.json"
    talk.write_text('{"utterances": [{"role": "client", "start": 0, "text": "I sleep four hours a night."}]}')
    monkeypatch.setenv("SAMEDAY_FORMATS_DIR", str(folder(tmp_path / "formats", a=FORMAT)))
    assert main(["draft", str(talk), "--format", "short", "--json"]) == 0
    assert '"Safety"' in capsys.readouterr().out
    assert main(["draft", str(talk), "--format", "haiku"]) == 2
    assert "short" in capsys.readouterr().err
    monkeypatch.setenv("SAMEDAY_FORMATS_DIR", str(folder(tmp_path / "formats", b=FORMAT.replace("risk", "x"))))
    assert main(["draft", str(talk)]) == 2
    assert "b.toml: section[0].part[0].kind" in capsys.readouterr().err


def test_a_default_format_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAMEDAY_NOTE_FORMAT", "short")
    assert main(["draft", str(tmp_path / "talk.json")]) == 1
    assert "note_format" in capsys.readouterr().err
