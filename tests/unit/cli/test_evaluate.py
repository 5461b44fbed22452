import json

import pytest

from lipsol.errors import NotFound
from services.cli.evaluate import EvaluateOptions, run
from services.cli.wordings import Wish
from tests.unit.cli.platforms import ScriptedPlatform, clip

KEYS = "n wer cer sentence_accuracy top3_accuracy abstained answered_wer sure_wrong unreadable per_speaker decoding"


@pytest.fixture
def platform():
    return ScriptedPlatform()


def manifest(folder, *rows):
    path = folder / "truth.csv"
    path.write_text("path,text,speaker,language\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def evaluated(platform, capsys, file, **options):
    assert run(EvaluateOptions(file, as_json=True, **options), platform.opened) == 0
    return json.loads(capsys.readouterr().out)


def test_figures_are_of_all_clips_answered_or_not(platform, tmp_path, capsys):
    clip(tmp_path, "a.mp4", "bin blue now")  # right
    clip(tmp_path, "b.mp4", "lay red now")  # sure and wrong: one word of three
    clip(tmp_path, "c.mp4", "set it", sure=False)  # not sure, and wrong: one word of two
    clip(tmp_path, "d.mp4", "set it", sure=False)  # not sure, but right
    file = manifest(tmp_path, "a.mp4,bin blue now,,", "b.mp4,lay green now,,", "c.mp4,set at,,", "d.mp4,set it,,")
    told = evaluated(platform, capsys, file)
    assert {*KEYS.split(), "intervals", "model"} == set(told)
    assert told["n"] == 4
    assert told["wer"] == 0.2  # 2 of 10 words
    assert told["sentence_accuracy"] == 0.5
    assert told["abstained"] == 0.5
    assert told["answered_wer"] == pytest.approx(1 / 6, abs=1e-4)
    assert told["sure_wrong"] == 0.25
    assert told["cer"] == pytest.approx(4 / 37, abs=1e-4)  # red for green: 3 edits; it for at: 1


def test_truths_are_compared_in_their_language_s_normal_form(platform, tmp_path, capsys):
    clip(tmp_path, "a.mp4", "یہ")
    file = manifest(tmp_path, "a.mp4,\ufeff يه ,,ur")
    assert evaluated(platform, capsys, file)["wer"] == 0


def test_top_3_is_the_reading_or_one_of_two_alternatives(platform, tmp_path, capsys):
    clip(tmp_path, "a.mp4", "one", "two", "three")
    clip(tmp_path, "b.mp4", "one", "two", "three", "four")
    told = evaluated(platform, capsys, manifest(tmp_path, "a.mp4,three,,", "b.mp4,four,,"))
    assert told["top3_accuracy"] == 0.5
    assert told["sentence_accuracy"] == 0


def test_an_unreadable_clip_is_listed_told_and_not_counted(platform, tmp_path, capsys):
    clip(tmp_path, "a.mp4", "bin")
    file = manifest(tmp_path, "a.mp4,bin,,", "gone.mp4,lay,,")
    assert run(EvaluateOptions(file, as_json=True), platform.opened) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["n"] == 1
    (unreadable,) = told["unreadable"]
    assert unreadable["path"] == "gone.mp4"
    assert "no such file" in unreadable["reason"]
    assert "gone.mp4" in said.err


def test_nothing_readable_is_exit_2_and_figures_of_nothing_are_null(platform, tmp_path, capsys):
    file = manifest(tmp_path, "gone.mp4,lay,,")
    assert run(EvaluateOptions(file, as_json=True), platform.opened) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["n"], told["wer"], told["answered_wer"]) == (0, None, None)
    assert run(EvaluateOptions(file), platform.opened) == 2
    assert "no clip could be read" in capsys.readouterr().out


def test_answered_wer_is_null_where_nothing_was_answered(platform, tmp_path, capsys):
    clip(tmp_path, "a.mp4", "bin", sure=False)
    told = evaluated(platform, capsys, manifest(tmp_path, "a.mp4,bin,,"))
    assert told["answered_wer"] is None
    assert told["intervals"]["answered_wer"] is None
    assert told["abstained"] == 1


def test_each_speaker_has_figures_of_its_own(platform, tmp_path, capsys):
    clip(tmp_path, "a.mp4", "bin")
    clip(tmp_path, "b.mp4", "lay")
    told = evaluated(platform, capsys, manifest(tmp_path, "a.mp4,bin,s1,en", "b.mp4,set,s2,en"))
    assert {name: each["wer"] for name, each in told["per_speaker"].items()} == {"s1": 0, "s2": 1}


@pytest.mark.parametrize(("speakers", "by"), [(4, "clips"), (5, "speakers")])
def test_intervals_draw_speakers_where_there_are_five(platform, tmp_path, capsys, speakers, by):
    rows = []
    for n in range(20):
        clip(tmp_path, f"{n}.mp4", "bin blue" if n % 3 else "bin red")
        rows.append(f"{n}.mp4,bin blue,s{n % speakers},en")
    told = evaluated(platform, capsys, manifest(tmp_path, *rows))
    assert told["intervals"]["by"] == by
    low, high = told["intervals"]["wer"]
    assert 0 <= low <= told["wer"] <= high <= 1
    assert low < high


def test_the_same_clips_give_the_same_intervals(platform, tmp_path, capsys):
    rows = []
    for n in range(9):
        clip(tmp_path, f"{n}.mp4", "bin" if n % 2 else "lay")
        rows.append(f"{n}.mp4,bin,,")
    file = manifest(tmp_path, *rows)
    assert evaluated(platform, capsys, file) == evaluated(platform, capsys, file)


@pytest.mark.parametrize(
    ("model", "grammar", "decoding"),
    [
        ("", "", "grammar grid"),
        ("", "none", "free"),
        ("grid-words", "none", "words"),
        ("grid-words", "grid", "words of grid"),
    ],
)
def test_the_decoding_is_told(platform, tmp_path, capsys, model, grammar, decoding):
    clip(tmp_path, "a.mp4", "bin")
    file = manifest(tmp_path, "a.mp4,bin,,")
    assert evaluated(platform, capsys, file, model=model, wish=Wish(grammar))["decoding"] == decoding


def test_a_language_that_no_model_reads_is_told_before_any_clip_is_read(platform, tmp_path):
    clip(tmp_path, "a.mp4", "bin")
    with pytest.raises(NotFound, match="xx"):
        run(EvaluateOptions(manifest(tmp_path, "a.mp4,bin,,", "a.mp4,bin,,xx")), platform.opened)
    assert platform.asked == []


def test_readings_are_kept_with_their_truth(platform, tmp_path, capsys):
    clip(tmp_path, "a.mp4", "bin")
    evaluated(platform, capsys, manifest(tmp_path, "a.mp4,lay,,"), output=tmp_path / "kept.jsonl")
    (line,) = (tmp_path / "kept.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert (told["path"], told["text"], told["truth"], told["right"]) == ("a.mp4", "bin", "lay", False)


def test_a_person_reads_a_table(platform, tmp_path, capsys):
    clip(tmp_path, "a.mp4", "bin")
    clip(tmp_path, "b.mp4", "lay")
    file = manifest(tmp_path, "a.mp4,bin,s1,en", "b.mp4,set,s2,en")
    assert run(EvaluateOptions(file), platform.opened) == 0
    said = capsys.readouterr().out
    assert "grid-sentences 1 (abababababab), grammar grid" in said
    assert "2 clips read, 0 unreadable" in said
    assert "drawing clips anew" in said
    assert any(line.startswith("word error rate ") and "50.0 %" in line for line in said.splitlines())
    assert any(line.startswith("s2 ") for line in said.splitlines())
