import pytest

from lipsol.errors import BadInput
from services.cli.sources import UNKNOWN_SPEAKER, clip_bytes, expand, read_manifest


def manifest(folder, text, encoding="utf-8"):
    path = folder / "truth.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_folder_stands_for_its_videos_in_order(tmp_path):
    for name in ("b.MP4", "a.webm", "notes.txt", "deeper/c.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in expand([str(tmp_path)])] == ["a.webm", "b.MP4"]


def test_a_pattern_stands_for_what_it_fits(tmp_path):
    for name in ("s1-a.mp4", "s1-b.mp4", "s2-a.mp4"):
        (tmp_path / name).touch()
    assert [path.name for path in expand([str(tmp_path / "s1-*.mp4")])] == ["s1-a.mp4", "s1-b.mp4"]


def test_a_file_whose_name_looks_like_a_pattern_is_itself(tmp_path):
    odd = tmp_path / "take[1].mp4"
    odd.touch()
    assert expand([str(odd)]) == [odd]


def test_a_missing_file_keeps_its_place(tmp_path):
    assert expand([str(tmp_path / "gone.mp4")]) == [tmp_path / "gone.mp4"]


@pytest.mark.parametrize("name", ["", "*.mp4"], ids=["folder", "pattern"])
def test_nothing_to_read_is_bad_input(tmp_path, name):
    with pytest.raises(BadInput, match="no video"):
        expand([str(tmp_path / name)])


def test_a_clip_over_the_bound_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "big.mp4").write_bytes(b"123456789")
    with pytest.raises(BadInput, match="9 bytes are over the 8"):
        clip_bytes(tmp_path / "big.mp4", limit=8)


def test_a_device_is_no_clip():
    from pathlib import Path

    with pytest.raises(BadInput, match="not a file"):
        clip_bytes(Path("/dev/zero"))


def test_paths_count_from_the_manifest_s_folder_and_other_columns_are_passed_over(tmp_path):
    file = manifest(tmp_path, "path,text,speaker,language,take\nclips/a.mp4,bin blue,s1,en,7\n")
    (spoken,) = read_manifest(file)
    assert spoken.path == tmp_path / "clips/a.mp4"
    assert (spoken.name, spoken.text, spoken.speaker, spoken.language) == ("clips/a.mp4", "bin blue", "s1", "en")


def test_speaker_and_language_may_be_left_out(tmp_path):
    (spoken,) = read_manifest(manifest(tmp_path, "path,text\na.mp4,bin\n"))
    assert (spoken.speaker, spoken.language) == (UNKNOWN_SPEAKER, "")


@pytest.mark.parametrize("text", ['path,text\na.mp4,"bin, blue"\n', "\ufeffpath,text\r\na.mp4,bin blue\r\n"])
def test_spreadsheets_are_understood(tmp_path, text):
    (spoken,) = read_manifest(manifest(tmp_path, text))
    assert spoken.text.startswith("bin")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column path and no column text"),
        ("file,text\na.mp4,bin\n", "no column path"),
        ("path,text\n", "names no clip"),
        ("path,text\na.mp4,bin\nb.mp4,\n", "line 3: no text"),
        ("path,text\n,bin\n", "line 2: no path"),
        ("path,text\na.mp4,bin, blue\n", "line 2: 3 cells for 2 columns"),
    ],
    ids=["empty", "other-columns", "head-only", "no-text", "no-path", "comma-in-text"],
)
def test_a_manifest_that_can_t_be_used_says_why(tmp_path, text, told):
    with pytest.raises(BadInput, match=told):
        read_manifest(manifest(tmp_path, text))


def test_a_manifest_in_another_encoding_says_so(tmp_path):
    with pytest.raises(BadInput, match="not UTF-8"):
        read_manifest(manifest(tmp_path, "path,text\na.mp4,Grün\n", "latin-1"))


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"gone\.csv"):
        read_manifest(tmp_path / "gone.csv")
