"""Golden answers, on the bundles that are shipped."""

from dataclasses import replace

import pytest

from lipsol import golden
from lipsol.bundle import Bundle
from lipsol.clips.clip import LAYOUT, MouthClip
from lipsol.engine import Engine
from lipsol.errors import ModelError
from lipsol.reader import Reader


@pytest.fixture(scope="module", params=["grid-sentences", "grid-words"])
def reader(request, top):
    return Reader(Bundle.load(top / "models" / f"{request.param}.lipsol"))


@pytest.fixture(scope="module")
def words(top):
    return Reader(Bundle.load(top / "models" / "grid-words.lipsol"))


def regilded(reader, **answer):
    """The same reader, of which the first golden answer is another."""
    first, *others = reader.bundle.golden
    other = replace(first, answers=(replace(first.answers[0], **answer), *first.answers[1:]))
    reader = Reader(reader.bundle)
    reader.bundle = replace(reader.bundle, golden=(other, *others))
    return reader


def test_the_shipped_bundles_read_as_they_did_when_they_were_packed(reader):
    golden.check(reader)


def test_they_do_on_two_threads_too(reader):
    golden.check(Reader(reader.bundle, Engine(threads=2)))


def test_they_have_a_clip_of_the_known_speaker_and_one_of_another(reader):
    strange = [heard.strangeness > 0 for heard in reader.hear([clip.mouth for clip in reader.bundle.golden])]
    assert strange == [False, True]
    assert {answer.way for clip in reader.bundle.golden for answer in clip.answers} == set(golden._ways(reader))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"text": "green"}, r"expected 'green' at 0\.\d{4}, got 'please' at 0\.\d{4}, where 0.001 is allowed"),
        ({"confidence": float("nan")}, "expected 'please' at nothing"),
    ],
    ids=["text", "no number"],
)
def test_another_answer_is_told_with_what_was_expected_and_what_came(words, answer, said):
    with pytest.raises(ModelError, match=said) as refusal:
        golden.check(regilded(words, **answer))
    assert "grid-words.lipsol" in refusal.value.detail and "lipsol models gild" in refusal.value.cure


@pytest.mark.parametrize(("off", "held"), [(0.0005, True), (0.002, False)], ids=["within", "beyond"])
def test_a_confidence_may_be_off_by_a_thousandth(words, off, held):
    packed = words.bundle.golden[0].answers[0].confidence
    reader = regilded(words, confidence=packed + off)
    if held:
        golden.check(reader)
        return
    with pytest.raises(ModelError):
        golden.check(reader)


def test_a_golden_clip_that_can_t_be_read_any_more_is_the_bundle_s_fault(top):
    reader = Reader(Bundle.load(top / "models" / "grid-sentences.lipsol"))
    first = reader.bundle.golden[0]
    reader.bundle = replace(reader.bundle, golden=(replace(first, mouth=first.mouth.cut(0, 8)),))
    with pytest.raises(
        ModelError, match="grid-sentences.lipsol can't read its golden clip 's1-lbbq8n' .grammar.: the clip"
    ):
        golden.check(reader)


def test_without_golden_answers_nothing_is_shown(words):
    reader = Reader(replace(words.bundle, golden=()))
    with pytest.raises(ModelError, match="no golden answers"):
        golden.check(reader)


def test_a_bundle_without_golden_answers_is_not_even_written(words, tmp_path):
    with pytest.raises(ModelError, match="would never be loaded"):
        replace(words.bundle, golden=()).save(tmp_path / "bare.lipsol")
    assert not list(tmp_path.iterdir())


def test_golden_clips_are_short_and_from_the_middle(words):
    mouth = words.bundle.golden[0].mouth
    long = MouthClip(**{name: getattr(mouth, name).repeat(2, axis=0) for name in LAYOUT})
    (made,) = golden.make(words, {"long": long})
    assert len(made.mouth) == golden.FRAMES < len(long)
    start = (len(long) - golden.FRAMES) // 2
    assert (made.mouth.mouth == long.mouth[start : start + golden.FRAMES]).all()


def test_of_several_clips_the_most_decisive_is_known(reader):
    clips = {clip.name: clip.mouth for clip in reader.bundle.golden}
    margins = {
        name: max(golden._margin(reader, mouth, way) for way in golden._ways(reader)) for name, mouth in clips.items()
    }
    assert golden.most_decisive(reader, clips) == max(margins, key=margins.get)
