"""Drawn mouths move as mouths do, their landmarks lie on what is drawn, and the same wish gives the same bytes."""

import numpy as np
import pytest

from lipsol.clips.clip import JAW_POINTS, LIP_POINTS, MOUTH_PX, MouthClip
from lipsol.clips.mouth import STEADY_FRAMES
from lipsol.data.dataset import open_dataset
from lipsol.data.synthetic.articulation import ARTICULATORS, Style, poses, target_of
from lipsol.data.synthetic.clip import mouth_clip, say
from lipsol.data.synthetic.drawing import filled
from lipsol.data.synthetic.espeak import Sound, speak
from lipsol.data.synthetic.making import Wish, founders_sentences, roles_of, sentences_of, split_of, synthesise
from lipsol.data.synthetic.shape import INNER_LOW, INNER_TOP, OUTER_LOW, OUTER_TOP, lines, points_of
from lipsol.data.synthetic.speaker import Filming, film, invent
from lipsol.errors import BadInput
from lipsol.text.grammar import Grammar

SENTENCE = "آپ کونسا تھا نہیں کیوں پانچ"
# nothing moves but the mouth
STILL = Filming(
    1.0, 1.0, 0.0, 0.0, 0.3, 0.0, (0.0, 0.0, 0.0), 0.0, 0.0, (), (180.0, 200.0, 0.6)
)  # nothing moves but the mouth
PLAIN = Style(np.ones(7), np.array([0.0, 0.2, 0, 0, 0, 0, 0]), crisp=1.0, wobble=0.0)


def somebody(number: int = 1):
    return invent(f"somebody{number}", np.random.default_rng(number))


def stands(*sounds: tuple[str, float, float]) -> np.ndarray:
    """How the mouth stands while these are said: (sound, start, end), a row a frame, articulators by name."""
    said = [Sound(ipa, start, end, 0) for ipa, start, end in sounds]
    rows = poses(said, int(said[-1].end * 25) + 10, PLAIN, np.random.default_rng(0))
    return {name: rows[:, n] for n, name in enumerate(ARTICULATORS)}


@pytest.fixture(scope="module")
def said():
    return say(SENTENCE, "ur", somebody(), seed=1)


def gap_of(mouth: MouthClip) -> np.ndarray:
    """Between the middles of the inner lips, pixels, each frame."""
    return (mouth.lips[:, 25] - mouth.lips[:, 35])[:, 1] * MOUTH_PX


def test_espeak_tells_when_each_word_and_sound_is_said():
    spoken = speak(SENTENCE, "ur", 120)
    assert len(spoken.words) == 6
    assert all(start < end for start, end in spoken.words)
    assert all(one[1] == next_one[0] for one, next_one in zip(spoken.words, spoken.words[1:], strict=False))
    assert all(spoken.words[s.word][0] <= s.start < s.end <= spoken.words[s.word][1] for s in spoken.sounds)


def test_who_speaks_faster_is_done_sooner():
    slow, fast = (speak(SENTENCE, "ur", rate).words[-1][1] for rate in (100, 170))
    assert fast < 0.8 * slow


def test_a_speed_that_espeak_does_not_obey_is_refused():
    with pytest.raises(BadInput, match="20 words a minute"):
        speak(SENTENCE, "ur", 20)


def test_every_sound_of_the_grammars_sentences_has_a_target():
    for sentence in founders_sentences("ur"):
        for sound in speak(sentence, "ur", 120).sounds:
            target_of(sound.ipa)
    with pytest.raises(BadInput, match="no sound that is known"):
        target_of("ʘ")


@pytest.mark.parametrize("lips", list("pbm"))
def test_lips_touch_wherever_p_b_and_m_are_said(lips):
    stand = stands(("aː", 0.4, 0.7), (lips, 0.7, 0.8), ("aː", 0.8, 1.1))
    assert stand["lips"][18] < 0.12 and stand["lips"][13] > 0.6 and stand["lips"][24] > 0.6


def test_rounded_vowels_are_narrow_and_spread_ones_wide():
    assert stands(("uː", 0.4, 0.7))["width"].min() < -0.7
    assert stands(("iː", 0.4, 0.7))["width"].max() > 0.6


def test_a_vowel_opens_less_between_lips_that_close():
    alone, between = stands(("aː", 0.4, 0.6)), stands(("p", 0.3, 0.4), ("aː", 0.4, 0.5), ("p", 0.5, 0.6))
    assert between["jaw"].max() < alone["jaw"].max()


def test_a_sound_shows_before_it_is_heard():
    """Coarticulation: the lips round for w while the vowel before it is still said."""
    before_w, before_k = (stands(("aː", 0.4, 0.7), (sound, 0.7, 0.8)) for sound in "wk")
    assert before_w["width"][16] < before_k["width"][16] - 0.05


@pytest.mark.parametrize("number", range(6))
def test_the_drawn_mouth_is_where_the_points_say(number):
    speaker, rng = somebody(number), np.random.default_rng(number)
    where = lines(np.tile([0.8, 1.0, 0, 0, 0, 0, 0.3], (20, 1)), speaker.face, STILL, rng)
    points = points_of(where.lips)[10]
    edges = ((OUTER_LOW, OUTER_TOP, points[:20]), (INNER_LOW, INNER_TOP, points[20:]))
    for low, top, ring in edges:
        rows, columns = np.nonzero(filled(np.concatenate([where.lips[10, low], where.lips[10, top][::-1]])) > 0.5)
        drawn = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert np.abs(drawn - np.concatenate([ring.min(0), ring.max(0)])).max() < 1.6


def test_the_open_mouth_is_dark_and_lips_are_darker_than_skin(said):
    frame = int(gap_of(said.mouth).argmax())
    picture = said.mouth.mouth[frame].astype(float)
    x, y = (said.mouth.lips[frame] * MOUTH_PX + MOUTH_PX / 2).mean(0)
    low = said.mouth.lips[frame, 25, 1] * MOUTH_PX + MOUTH_PX / 2
    chin = picture[int(low) + 16 : int(low) + 22, int(x) - 8 : int(x) + 8].mean()
    inside = picture[int(y) : int(low), int(x) - 5 : int(x) + 5].min()
    assert inside < 0.6 * chin


def test_the_clip_is_centred_as_the_mouths_of_real_clips_are(said):
    from scipy.ndimage import gaussian_filter1d

    centre = gaussian_filter1d(said.mouth.lips.mean(1), STEADY_FRAMES, axis=0)
    assert np.abs(centre * MOUTH_PX).max() < 3  # beside the landmarks' errors and the head's sway


def test_each_ring_begins_at_the_left_corner_and_goes_around_below(said):
    ring = said.mouth.lips[said.mouth.seen].mean(0)
    assert ring[:20, 0].argmin() == 0 and ring[:20, 0].argmax() == 10
    assert ring[1:10, 1].mean() > ring[11:20, 1].mean() and ring[21:30, 1].mean() >= ring[31:40, 1].mean()
    assert said.mouth.jaw[0, 0, 0] > said.mouth.jaw[0, -1, 0] and said.mouth.jaw[0, 7, 1] > said.mouth.jaw[0, 0, 1]


def test_words_lie_within_the_clip_in_order(said):
    assert " ".join(word.text for word in said.words) == SENTENCE
    assert said.words[0].start > 0 and said.words[-1].end < len(said.mouth)
    assert all(word.start < word.end for word in said.words)
    assert all(a.end == b.start for a, b in zip(said.words, said.words[1:], strict=False))


def test_the_lips_close_for_the_p_of_the_first_and_last_words(said):
    gap = gap_of(said.mouth)
    first, last = said.words[0], said.words[-1]
    assert gap[first.end - 2 : first.end + 3].min() < 0.4 * gap[first.start : first.end].max()
    assert gap[last.start - 1 : last.start + 4].min() < 0.4 * gap[last.start : last.end].max()


def test_speakers_differ_more_than_one_speakers_clips_do():
    def mean(number: int, sentence: str) -> np.ndarray:
        picture = say(sentence, "ur", somebody(number), 1).mouth.mouth.mean(0)
        return (picture - picture.mean()) / picture.std()

    one, same, other = mean(1, SENTENCE), mean(1, "وہ کیسے ہوں جی کب ایک"), mean(2, SENTENCE)
    assert np.abs(one - same).mean() < 0.7 * np.abs(one - other).mean()


def test_the_same_words_said_twice_are_not_the_same_clip():
    one, other = (say(SENTENCE, "ur", somebody(), seed) for seed in (1, 2))
    assert one.words != other.words


def test_frames_without_a_face_are_told_and_filled_between_their_neighbours():
    how = next(f for n in range(100) if (f := film(60, np.random.default_rng(n))).lost)
    (start, length), rng = how.lost[0], np.random.default_rng(1)
    assert start > 0 and start + length < 60
    points = rng.normal(48, 20, (60, LIP_POINTS + JAW_POINTS, 2))
    mouth = mouth_clip(np.zeros((60, MOUTH_PX, MOUTH_PX), np.uint8), points, how, rng)
    assert np.flatnonzero(~mouth.seen).tolist() == list(range(start, start + length))
    step = (mouth.lips[start + length] - mouth.lips[start - 1]) / (length + 1)
    assert np.allclose(mouth.lips[start], mouth.lips[start - 1] + step, atol=1e-5)


def test_the_founders_sentences_are_of_the_packaged_grammar():
    grammar, sentences = Grammar.named("urdu"), founders_sentences("ur")
    assert len(sentences) == 108 and all(grammar.accepts(sentence) for sentence in sentences)


def test_a_tested_sentence_is_trained_on_by_nobody():
    wish = Wish(speakers=12, sentences=30)
    dealt = [(split_of(role, each), each) for name, role in roles_of(12).items() for each in sentences_of(wish, name)]
    trained, tested = ({text for split, text in dealt if split == which} for which in ("train", "test"))
    assert trained and tested and not trained & tested


def test_a_speaker_says_nothing_twice_and_half_of_it_is_the_founders():
    said = sentences_of(Wish(sentences=40), "drawn01")
    assert len(set(said)) == 40 and len(set(said) & set(founders_sentences("ur"))) >= 20


def test_some_speakers_are_familiar_some_are_not_and_some_are_never_trained_on():
    assert sorted(roles_of(4).values()) == ["home", "home", "other", "unseen"]
    assert list(roles_of(24).values()) == ["home"] * 15 + ["other"] * 3 + ["unseen"] * 6


@pytest.mark.parametrize(("wish", "told"), [
    (Wish(language="fr"), "'fr' can't be synthesised"),
    (Wish(speakers=3), "3 speakers"),
    (Wish(sentences=0), "0 sentences"),
], ids=["language", "speakers", "sentences"])  # fmt: skip
def test_a_wish_that_can_not_be_met_is_refused(wish, told, tmp_path):
    with pytest.raises(BadInput, match=told):
        synthesise(wish, tmp_path, 1, print)


def test_another_seed_makes_other_speakers_who_say_other_things():
    one, other = (sentences_of(Wish(seed=seed), "drawn01") for seed in (1, 2))
    assert set(one) != set(other)


@pytest.mark.slow
def test_the_same_wish_gives_the_same_bytes_however_many_workers_there_are(tmp_path):
    wish = Wish(speakers=4, sentences=1)
    runs = (("alone", 1), ("together", 2))
    first, again = (synthesise(wish, tmp_path / name, workers, lambda _: None) for name, workers in runs)
    files = sorted(path.relative_to(first.folder) for path in first.folder.rglob("*") if path.is_file())
    assert len(files) == 4 + 2
    assert all((first.folder / file).read_bytes() == (again.folder / file).read_bytes() for file in files)
    held = open_dataset(first.folder)
    assert held.synthetic and held.language == "ur" and held.version() == first.version()
