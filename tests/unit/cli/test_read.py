import json
from pathlib import Path

import pytest

from lipsol.errors import BadInput, NotFound
from lipsol.text.wording import Wording
from services.cli.formats import text_line
from services.cli.read import ReadOptions, run
from services.cli.wordings import Wish
from tests.unit.cli.platforms import ScriptedPlatform, clip, result


@pytest.fixture
def platform():
    return ScriptedPlatform()


def read(platform, *paths, **options):
    return run(ReadOptions(tuple(map(str, paths)), **options), platform.opened)


def test_a_clip_becomes_one_line_with_its_words_and_how_sure(platform, tmp_path, capsys):
    path = clip(tmp_path, "a.mp4", "bin blue at f two now")
    assert read(platform, path) == 0
    assert capsys.readouterr().out == f"{path}  bin blue at f two now  97 %\n"


def test_an_unsure_reading_is_three_possibilities_and_exit_3(platform, tmp_path, capsys):
    path = clip(tmp_path, "a.mp4", "bin", "pin", "been", "win", sure=False)
    assert read(platform, path) == 3
    assert "not sure; perhaps: bin | pin | been  31 %" in capsys.readouterr().out


def test_what_looks_the_same_is_offered_together_and_none_is_told(platform, tmp_path, capsys):
    looks = {"pin": 1, "set": 2, "been": 1, "win": 3}
    held = result("bin", list(looks), sure=False)
    alternatives = tuple(each.model_copy(update={"look": looks[each.text]}) for each in held.alternatives)
    unsure = held.model_copy(update={"alternatives": alternatives, "none": 0.625})
    line = text_line(tmp_path / "a.mp4", unsure, None)
    assert "perhaps: bin (looks the same: pin, been) | set | win | none of the phrases: 62 %" in line


def test_phrases_and_hotwords_reach_the_platform_as_one_document(platform, tmp_path):
    (tmp_path / "board.txt").write_text("Yes please!\n\nno thank you\n")
    read(platform, clip(tmp_path, "a.mp4", "bin"), wish=Wish("", tmp_path / "board.txt", ("thank you:20", "yes")))
    sent = Wording.of(platform.asked[0][1])
    assert sent.board and set(sent.grammar.sentences()) == {"yes please", "no thank you"}
    assert sent.hotwords.document() == {"thank you": 20.0, "yes": 10.0}


@pytest.mark.parametrize("grammar", ["", "none", "grid", "urdu"])
def test_hotwords_go_with_every_grammar(grammar):
    word = "ایک" if grammar == "urdu" else "one"
    sent, plain = Wording.of(Wish(grammar, None, (word,)).spec("")), Wording.of(grammar)
    assert (sent.grammar, sent.hotwords.document()) == (plain.grammar, {word: 10.0})


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        (Wish("grid", Path("board.txt")), "both --grammar and --phrases"),
        (Wish("", Path("no-such-file.txt")), "no-such-file.txt"),
        (Wish("", None, ("bin:never",)), "'never' times"),
        (Wish("", None, ("bin:0.1",)), "from 1 to 1000"),
        (Wish("", None, ("bin", "bin:2")), "'bin' is there twice"),
    ],
    ids=["both", "no file", "no number", "weak", "twice"],
)
def test_a_wish_that_can_not_be_met_is_refused(wish, named):
    with pytest.raises(BadInput, match=named):
        wish.spec("")


def test_one_sure_reading_among_unsure_ones_is_exit_0(platform, tmp_path):
    assert read(platform, clip(tmp_path, "a.mp4", "bin", sure=False), clip(tmp_path, "b.mp4", "lay")) == 0


@pytest.mark.parametrize("form", ["text", "json", "jsonl"])
def test_a_bad_clip_is_told_the_others_are_read_and_the_exit_is_2(form, platform, tmp_path, capsys):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    good = [clip(tmp_path, "a.mp4", "bin blue"), clip(tmp_path, "z.mp4", "lay red")]
    assert read(platform, good[0], bad, good[1], form=form) == 2
    said = capsys.readouterr()
    assert said.err == f"lipsol: {bad}: 8 bytes that are no video; send a video\n"
    assert "bin blue" in said.out
    assert "lay red" in said.out
    assert "bad.mp4" not in said.out


def test_a_missing_file_is_bad_input_that_names_it(platform, tmp_path, capsys):
    assert read(platform, tmp_path / "gone.mp4") == 2
    said = capsys.readouterr()
    assert "gone.mp4: no such file" in said.err
    assert said.out == ""


def test_a_fault_of_the_platform_is_exit_1(platform, tmp_path, capsys):
    broken = tmp_path / "a.mp4"
    broken.write_bytes(b"broken")
    assert read(platform, broken, tmp_path / "gone.mp4") == 1
    assert "the bundle is torn; fetch it again" in capsys.readouterr().err


def test_one_clip_as_json_is_one_object_with_the_whole_contract(platform, tmp_path, capsys):
    path = clip(tmp_path, "a.mp4", "bin blue", "lay red")
    assert read(platform, path, form="json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["path"] == str(path)
    contract = "clip_id state text confidence abstained alternatives words quality faces language grammar model track"
    assert {*contract.split(), "timings_ms"} <= set(told)
    assert told["words"][1] == {"text": "blue", "start_s": 1.0, "end_s": 1.5, "confidence": 0.9, "alike": []}


def test_several_clips_as_json_are_an_array_in_their_order(platform, tmp_path, capsys):
    paths = [clip(tmp_path, f"{n}.mp4", f"clip {n}") for n in (3, 1, 2)]
    assert read(platform, *paths, form="json") == 0
    assert [each["path"] for each in json.loads(capsys.readouterr().out)] == [str(path) for path in paths]


def test_a_folder_of_one_clip_is_an_array_of_one(platform, tmp_path, capsys):
    clip(tmp_path, "a.mp4", "bin")
    assert read(platform, tmp_path, form="json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 1


def test_json_of_several_clips_that_all_failed_is_an_empty_array(platform, tmp_path, capsys):
    assert read(platform, tmp_path / "a.mp4", tmp_path / "b.mp4", form="json") == 2
    assert json.loads(capsys.readouterr().out) == []


def test_jsonl_is_one_object_a_line(platform, tmp_path, capsys):
    paths = [clip(tmp_path, f"{n}.mp4", f"clip {n}") for n in range(3)]
    assert read(platform, *paths, form="jsonl") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["clip 0", "clip 1", "clip 2"]


def test_letters_are_written_as_they_are(platform, tmp_path, capsys):
    assert read(platform, clip(tmp_path, "a.mp4", "پانچ"), form="json", language="ur") == 0
    assert "پانچ" in capsys.readouterr().out


def test_captions_of_one_clip_go_to_the_output(platform, tmp_path, capsys):
    assert read(platform, clip(tmp_path, "a.mp4", "bin blue"), form="srt") == 0
    assert "-->" in capsys.readouterr().out


def test_captions_of_several_clips_need_a_folder(platform, tmp_path):
    with pytest.raises(BadInput, match="--output"):
        read(platform, clip(tmp_path, "a.mp4", "bin"), clip(tmp_path, "b.mp4", "lay"), form="vtt")
    assert platform.asked == []


def test_captions_of_several_clips_are_a_file_each(platform, tmp_path, capsys):
    clips = clip(tmp_path, "a.mp4", "bin"), clip(tmp_path, "b.mp4", "lay")
    assert read(platform, *clips, form="vtt", output=tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.vtt", "b.vtt"]
    assert (tmp_path / "out/b.vtt").read_text().startswith("WEBVTT")
    assert capsys.readouterr().out == ""


def test_two_clips_never_share_a_caption_file(platform, tmp_path):
    clips = clip(tmp_path, "one/a.mp4", "bin"), clip(tmp_path, "two/a.mp4", "lay")
    with pytest.raises(BadInput, match=r"a\.srt"):
        read(platform, *clips, form="srt", output=tmp_path / "out")


def test_output_is_written_to_a_file(platform, tmp_path, capsys):
    assert read(platform, clip(tmp_path, "a.mp4", "bin"), form="jsonl", output=tmp_path / "out.jsonl") == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["text"] == "bin"
    assert capsys.readouterr().out == ""


def test_an_output_that_can_t_be_written_is_bad_input(platform, tmp_path):
    with pytest.raises(BadInput, match="nowhere"):
        read(platform, clip(tmp_path, "a.mp4", "bin"), output=tmp_path / "nowhere/out")


def test_truth_marks_each_reading(platform, tmp_path, capsys):
    paths = [clip(tmp_path, "a.mp4", "bin blue"), clip(tmp_path, "b.mp4", "lay red")]
    (tmp_path / "truth.csv").write_text("path,text\na.mp4,Bin  Blue\nb.mp4,lay green\n")
    assert read(platform, *paths, truth=tmp_path / "truth.csv") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("✓ Bin  Blue")
    assert second.endswith("✗ lay green")


def test_a_truth_among_the_possibilities_has_a_mark_of_its_own(platform, tmp_path, capsys):
    paths = [clip(tmp_path, f"{n}.mp4", "bin", "pin", "been", "win", sure=n == 3) for n in range(4)]
    (tmp_path / "truth.csv").write_text("path,text\n0.mp4,been\n1.mp4,win\n2.mp4,bin\n3.mp4,pin\n")
    assert read(platform, *paths, truth=tmp_path / "truth.csv") == 0
    assert [line.split()[-2] for line in capsys.readouterr().out.splitlines()] == ["≈", "✗", "✓", "✗"]


def test_a_clip_without_any_words_is_not_sure(platform, tmp_path, capsys):
    path = clip(tmp_path, "a.mp4", "", sure=False)
    assert read(platform, path) == 3
    assert capsys.readouterr().out == f"{path}  not sure  31 %\n"


def test_truth_is_told_in_json_too(platform, tmp_path, capsys):
    path = clip(tmp_path, "a.mp4", "bin blue")
    (tmp_path / "truth.csv").write_text("path,text\nelsewhere/a.mp4,bin red\n")
    assert read(platform, path, form="json", truth=tmp_path / "truth.csv") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["truth"], told["right"]) == ("bin red", False)


def test_model_grammar_and_language_reach_the_platform(platform, tmp_path):
    read(platform, clip(tmp_path, "a.mp4", "bin"), model="grid-words", wish=Wish("none"), language="en")
    assert platform.asked == [("grid-words", "none", "en")]


def test_a_packaged_grammar_goes_by_its_name(platform, tmp_path):
    read(platform, clip(tmp_path, "a.mp4", "bin"), wish=Wish("grid"))
    assert platform.asked[0][1] == "grid"


def test_a_grammar_file_goes_by_its_content(platform, tmp_path):
    (tmp_path / "phrases.txt").write_text("yes please\nno thank you\n")
    read(platform, clip(tmp_path, "a.mp4", "bin"), wish=Wish(str(tmp_path / "phrases.txt")))
    sent = platform.asked[0][1]
    assert sent.startswith("{")
    assert "thank" in sent


def test_a_grammar_that_is_neither_name_nor_file_is_not_found(platform, tmp_path):
    with pytest.raises(NotFound, match="gird"):
        read(platform, clip(tmp_path, "a.mp4", "bin"), wish=Wish("gird"))


def test_an_unknown_model_is_told_once_before_any_clip_is_read(platform, tmp_path):
    with pytest.raises(NotFound, match="grid-sentences"):
        read(platform, clip(tmp_path, "a.mp4", "bin"), clip(tmp_path, "b.mp4", "lay"), model="gird")
    assert platform.asked == []


def test_an_unknown_language_is_bad_input(platform, tmp_path):
    with pytest.raises(BadInput, match="xx"):
        read(platform, clip(tmp_path, "a.mp4", "bin"), language="xx")


def test_no_progress_bar_stands_in_a_pipe(platform, tmp_path, capsys):
    assert read(platform, *[clip(tmp_path, f"{n}.mp4", "bin") for n in range(20)]) == 0
    assert capsys.readouterr().err == ""
