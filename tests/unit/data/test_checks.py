"""Each check finds its fault on made clips, and nothing on clips that are fine."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lipsol.clips.clip import MouthClip
from lipsol.data.checks import check
from lipsol.data.checks.alignments import alignments
from lipsol.data.checks.contradictions import contradictions
from lipsol.data.checks.copies import copies
from lipsol.data.checks.pictures import pictures, shifted, stability_index
from lipsol.data.checks.rules import RULES, Found, Rules, share
from lipsol.data.checks.speakers import speakers
from lipsol.data.checks.table import table_of
from lipsol.data.checks.traits import traits
from lipsol.data.checks.transcripts import GRID_CODE, effect_of, transcripts
from lipsol.data.dataset import FACTS, MANIFEST, Item, Spoken, open_dataset, save
from lipsol.data.mouths import Seen, watch_all
from lipsol.errors import BadInput
from lipsol.text.grammar import Grammar
from tests.unit.data.mouths_made import dataset, mouth, spoken

LAW = Rules.of("default")
PLACE = re.compile(r"(<!-- rules -->\n).*?(<!-- end -->)", flags=re.DOTALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Sixteen clips of each of two speakers, with nothing wrong about them."""
    return dataset(tmp_path_factory.mktemp("made"), clips=16)


@pytest.fixture(scope="module")
def seen_traits(made):
    """Their traits by name."""
    return {item.name: traits(_seen(item)) for item in made.items}


@pytest.fixture(scope="module")
def cache(made, tmp_path_factory):
    """Where they have been watched."""
    folder = tmp_path_factory.mktemp("cache")
    assert not watch_all(made.items, folder, 1)
    return folder


def _seen(item):
    return Seen(
        MouthClip.from_bytes(item.path.read_bytes()), {"brightness": 120.0, "face_found": 1.0, "source_fps": 25.0}
    )


def judged(found):
    """Rule -> finding, of those that cross a bound."""
    return {finding.rule: finding for each in found if (finding := LAW.judged(each))}


def with_item(made, number, **changes):
    items = list(made.items)
    items[number] = replace(items[number], **changes)
    return replace(made, items=tuple(items))


def test_clips_with_nothing_wrong_about_them_have_no_finding(made, seen_traits):
    assert not judged(transcripts(made, LAW)) and not judged(alignments(made, seen_traits, LAW))
    assert not judged(copies(made.items, seen_traits, LAW)) and not judged(speakers(made.items, seen_traits, LAW))
    assert not judged(pictures(made.items, seen_traits, LAW))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("پانچھ", "spelling"), ("كتاب", "spelling"), ("ایک\u200cدو", "spelling"), ("five", "letters"), ("  ", "empty"),
        ("پانچ", ""), ("بھائی", ""),
    ],
    ids=["founders spelling", "arabic kaf", "zwnj", "latin", "blank", "fine", "fine with do chashmi he"],
)  # fmt: skip
def test_an_urdu_transcript_is_told_if_it_is_not_in_its_one_spelling(made, text, rule):
    urdu = replace(made, language="ur", items=(replace(made.items[0], text=text, words=()),))
    assert set(judged(transcripts(urdu, LAW))) == ({rule} if rule else set())


def test_two_spellings_of_one_word_are_told_with_the_right_one(made):
    found = judged(transcripts(with_item(made, 3, text="Bin Lay"), LAW))
    assert found["spelling"].clips == (made.items[3].name,) and "'bin lay'" in found["spelling"].told


def test_the_code_of_grid_names_says_the_words_of_its_grammar():
    assert sorted({word for slot in GRID_CODE for word in slot.values()}) == list(Grammar.named("grid").words)


@pytest.mark.parametrize(
    ("stem", "text", "wrong"),
    [
        ("bbaf2n", "bin blue at f two now", False), ("swwz8p-1", "set white with z eight please", False),
        ("bbaf2n", "bin blue at f two soon", True), ("bbaf2", "bin blue at f two now", True),
        ("xbaf2n", "bin blue at f two now", True),
    ],
    ids=["right", "right with more behind it", "another word", "too short", "no code"],
)  # fmt: skip
def test_a_grid_name_is_its_transcript(made, stem, text, wrong):
    item = Item(Path(f"{stem}.mp4"), "s1", (), "train", text)
    found = judged(transcripts(replace(made, names="grid", items=(item,)), LAW))
    assert ("names" in found) is wrong


def test_a_sentence_of_no_grammar_and_words_never_said_are_told(made):
    items = tuple(replace(made.items[0], text=text) for text in ("bin blue at f two now", "bin blue at f two noon"))
    found = judged(transcripts(replace(made, grammar="grid", items=items), LAW))
    assert "noon" in found["grammar"].told and "45 words" in found["unsaid"].told
    assert found["balance"].value == 5 and found["balance"].level == "warning"


def test_unevenness_is_cohens_w_less_what_chance_brings():
    assert effect_of(np.array([100.0, 0.0])) == pytest.approx(np.sqrt(1 - 1 / 100))
    assert effect_of(np.array([75.0, 25.0])) == pytest.approx(np.sqrt(0.25 - 1 / 100))
    assert effect_of(np.array([51.0, 49.0])) == 0.0 == effect_of(np.array([0.0, 0.0]))


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ((), "unaligned"),
        ((Spoken("bin", 5, 12), Spoken("lay", 10, 20)), "order"),
        ((Spoken("bin", 40, 52), Spoken("lay", 52, 61)), "inside"),
        ((Spoken("bin", 5, 12), Spoken("set", 12, 20)), "words"),
    ],
    ids=["none", "overlapping", "after the end", "of other words"],
)
def test_word_times_that_make_no_sense_are_told(made, seen_traits, words, rule):
    spoilt = with_item(made, 0, text="bin lay", words=words)
    assert judged(alignments(spoilt, seen_traits, LAW))[rule].clips == (made.items[0].name,)


def test_word_times_beside_what_the_lips_do_are_told_and_by_how_much(made, seen_traits):
    moved = tuple(Spoken(word.text, word.start + 9, word.end + 9) for word in made.items[6].words)
    finding = judged(alignments(with_item(made, 6, words=moved), seen_traits, LAW))["timing"]
    assert finding.clips == (made.items[6].name,) and re.search(r"fits (8|9|10) frames earlier", finding.told)


def _more(made, seen_traits, clip, **changes):
    """One clip more, with its traits."""
    item = replace(made.items[0], **changes)
    item.path.write_bytes(clip.to_bytes())
    return [*made.items, item], {**seen_traits, item.name: traits(_seen(item))}


@pytest.mark.parametrize("level", [0, 4], ids=["byte for byte", "noisy"])
def test_a_film_that_is_there_twice_is_told_and_a_second_take_is_not(made, seen_traits, tmp_path, level):
    clip = MouthClip.from_bytes(made.items[0].path.read_bytes())
    noise = np.random.default_rng(1).normal(0, level, clip.mouth.shape)
    copy = replace(clip, mouth=np.clip(clip.mouth + noise, 0, 255).astype(np.uint8))
    found = judged(copies(*_more(made, seen_traits, copy, path=tmp_path / "again.npz", split="test"), LAW))
    assert set(found) == {"films" if level else "copies", "leaked clips"} and found["leaked clips"].clips == (
        "p0_again",
    )
    take = mouth(0, spoken(("bin", "bin"), 977), 977)
    assert not judged(copies(*_more(made, seen_traits, take, path=tmp_path / "take.npz"), LAW))


def test_a_speaker_who_is_unseen_and_known_is_told(made, seen_traits):
    found = judged(speakers(with_item(made, 0, split="unseen").items, seen_traits, LAW))
    assert found["leaked speakers"].clips == (made.items[0].name,) and found["leaked speakers"].level == "error"


def test_a_clip_under_another_speakers_name_is_told(made, seen_traits, tmp_path):
    other = mouth(1, spoken(("bin", "set"), 5), 5)
    found = judged(speakers(*_more(made, seen_traits, other, path=tmp_path / "other.npz"), LAW))
    assert found["speaker"].clips == ("p0_other",) and "looks like p1" in found["speaker"].told


def test_one_person_under_two_names_is_suspected(made, seen_traits):
    items = [replace(item, speaker="p7") if n in range(0, 16, 2) else item for n, item in enumerate(made.items)]
    known = {item.name: seen_traits[old.name] for item, old in zip(items, made.items, strict=True)}
    assert "p0 and p7 may be one person" in judged(speakers(items, known, LAW))["person"].told


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"facts": {"brightness": 30.0}}, "dark"), ({"facts": {"face_found": 0.6}}, "face"), ({"still": 12}, "frozen"),
        ({"frames": 7}, "short"), ({"facts": {"source_fps": 12.5}}, "rate"),
        ({"facts": {"source_fps": 25.0, "dropped_frames": 9.0}}, "rate"),
    ],
    ids=["dark", "no face", "frozen", "short", "half the rate", "gaps"],
)  # fmt: skip
def test_an_odd_picture_is_told(made, seen_traits, changes, rule):
    name = made.items[4].name
    found = judged(pictures(made.items, {**seen_traits, name: replace(seen_traits[name], **changes)}, LAW))
    assert set(found) == {rule} and found[rule].clips == (name,)


def test_a_picture_that_stands_still_is_counted_in_frames(made):
    clip = _seen(made.items[0]).mouth
    frozen = replace(clip, mouth=np.concatenate([clip.mouth[:30], np.repeat(clip.mouth[30:31], 30, axis=0)]))
    assert traits(Seen(frozen, {})).still == 29 and traits(Seen(clip, {})).still == 0


def test_the_stability_index_is_its_formula():
    old = np.arange(100.0)
    assert stability_index(old, old) == 0.0
    half = np.concatenate([np.arange(50.0), np.arange(50.0)])
    p, q = 10.5 / 105, np.array([20.5, 0.5]) / 105
    assert stability_index(old, half) == pytest.approx(5 * float(((q - p) * np.log(q / p)).sum()))


def test_pictures_that_became_darker_are_told_and_few_clips_are_not_judged(seen_traits):
    light = np.random.default_rng(0).normal(120, 5, len(seen_traits))
    before = {name: {"brightness": b} for name, b in zip(seen_traits, light, strict=True)}
    after = {name: {"brightness": facts["brightness"] - 15} for name, facts in before.items()}
    assert LAW.judged(shifted(after, before, LAW)).told.startswith("brightness")
    again = np.random.default_rng(1).normal(120, 5, len(before))
    chance = {name: {"brightness": b} for name, b in zip(before, again, strict=True)}
    assert stability_index(light, again) > LAW.each("shift") and LAW.judged(shifted(chance, before, LAW)) is None
    assert LAW.judged(shifted(dict(list(after.items())[:19]), before, LAW)) is None


def test_what_a_model_surely_reads_otherwise_is_told(made, cache):
    items = list(made.items[:4])
    sure = iter([("bin bin", 0.99), ("set place", 0.99), ("set place", 0.5), ("place lay", 0.99)])
    said = [
        replace(item, text=text)
        for item, text in zip(items, ["bin bin", "bin lay", "bin lay", "place set"], strict=True)
    ]
    found = contradictions(said, cache, lambda mouths: [next(sure) for _ in mouths], LAW, 4)
    assert found.clips == (items[1].name, items[3].name)


def test_a_file_of_rules_changes_what_it_names(tmp_path):
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"face": {"each": 0.8, "stop": None}}))
    law = Rules.of(file)
    assert law.each("face") == 0.8 and law.held["face"].stop is None and law.held["face"].warn == 0
    assert law.held["dark"] == RULES["dark"]
    assert Rules.of("strict").judged(Found("face", 0.01, "")).level == "error"
    assert LAW.judged(Found("face", 0.01, "")).level == "warning" and LAW.judged(Found("face", 0.0, "")) is None


@pytest.mark.parametrize("text", ['{"faces": {"stop": 1}}', '{"face": {"stops": 1}}', "[]", "{"])
def test_rules_that_are_none_are_refused(tmp_path, text):
    (tmp_path / "rules.json").write_text(text)
    with pytest.raises(BadInput):
        Rules.of(tmp_path / "rules.json")


def test_a_share_names_the_first_three_clips_and_keeps_all():
    found = share("file", {f"a_{n}": "is gone" for n in range(5)}, 10)
    assert found.value == 0.5 and len(found.clips) == 5 and found.told.endswith("a_2 is gone; and 2 more")


def test_a_table_is_read_as_far_as_it_makes_sense(made, tmp_path):
    save(made, tmp_path, copy=False)
    lines = (tmp_path / MANIFEST).read_text().splitlines()
    lines[2] = lines[2].replace(",train,", ",traning,")
    lines[3] = re.sub("^[^,]*", "gone.npz", lines[3])
    (tmp_path / MANIFEST).write_text("\n".join([*lines, lines[1]]) + "\n")
    table = table_of(tmp_path)
    found = judged(table.found)
    assert found["rows"].clips == ("row 3",) and "traning" in found["rows"].told
    assert found["file"].clips == ("p0_gone",) and found["twice"].clips == (made.items[0].name,)
    assert table.dataset is not None and len(table.dataset.items) == 30


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / MANIFEST).unlink(),
        lambda folder: (folder / FACTS).write_text("{}"),
        lambda folder: (folder / MANIFEST).write_text("path,text\na.npz,bin\n"),
        lambda folder: [clip.unlink() for clip in (folder / "clips").rglob("*.npz")],
    ],
    ids=["no manifest", "no facts", "no columns", "no clips"],
)
def test_a_data_set_of_which_nothing_can_be_read_stops_with_a_report(made, tmp_path, spoil):
    save(replace(made, items=made.items[:3]), tmp_path / "data", copy=True)
    spoil(tmp_path / "data")
    assert check(tmp_path / "data", tmp_path / "out", tmp_path / "cache") == "stop"
    told = json.loads((tmp_path / "out" / "checks.json").read_text())
    assert "table" in {finding["rule"] for finding in told["findings"]} and told["data"] is None
    assert "table" in (tmp_path / "out" / "report.html").read_text()


def test_a_check_tells_programs_and_people_what_it_found(made, cache, tmp_path):
    save(with_item(made, 2, words=(Spoken("bin", 50, 70),), text="bin"), tmp_path / "data", copy=False)
    assert check(tmp_path / "data", tmp_path / "out", cache, previous=tmp_path / "data") == "stop"
    told = json.loads((tmp_path / "out" / "checks.json").read_text())
    assert told["verdict"] == "stop" and told["data"]["sha256"] == open_dataset(tmp_path / "data").version()
    (error,) = [finding for finding in told["findings"] if finding["level"] == "error"]
    assert (error["rule"], error["clips"], error["bound"]) == ("inside", [made.items[2].name], 0)
    page = (tmp_path / "out" / "report.html").read_text()
    assert f"the mouth of {made.items[2].name}" in page and "ends at frame 70 of 60" in page


def test_the_rules_stand_in_the_documents_as_they_are(top):
    """LIPSOL_RENEW=1 writes the table anew."""
    page = (top / "docs" / "data.md").read_text()

    def bound(value: float | None) -> str:
        return "" if value is None else f"{value:g}"

    head = "| rule | what is measured | each | warns above | stops above | where the bounds come from |\n"
    rows = [
        f"| `{name}` | {rule.told} | {bound(rule.each)} | {bound(rule.warn)} | {bound(rule.stop)} | {rule.source} |\n"
        for name, rule in RULES.items()
    ]
    table = f"{head}{'|---' * 6}|\n{''.join(rows)}".replace("  |", " |")
    renewed = PLACE.sub(lambda marks: f"{marks[1]}{table}{marks[2]}", page)
    if os.environ.get("LIPSOL_RENEW") == "1":
        (top / "docs" / "data.md").write_text(renewed)
        return
    assert renewed == page
