import numpy as np
import pytest

from lipsol.model.decoding.automaton import Flow, flow
from lipsol.model.decoding.decoded import NEVER
from lipsol.model.decoding.paths import STOP, Choices, best_paths, blended
from lipsol.model.decoding.unrolled import over_characters, over_words, shortest_characters, shortest_words
from lipsol.text.grammar import Arc, Grammar
from tests.unit.model.counted import arc_shares, choices_of, ctc_sentences, log_softmax, noise, word_sentences

SLOTS = Grammar.of_slots("slots", "en", [["a", "ab", "bb"], ["b", "a"]])
PHRASES = Grammar.of_phrases("phrases", "en", ["a", "a b", "ab", "bb", "a ba", "aba", "abb a"])
SHORTCUT = Grammar(
    "shortcut", "en", (Arc(0, 1, "a"), Arc(0, 2, "b"), Arc(1, 2, "ab"), Arc(2, 3, "b")), 4, frozenset({2, 3})
)
GRAMMARS = pytest.mark.parametrize("grammar", [SLOTS, PHRASES, SHORTCUT], ids=lambda grammar: grammar.name)
WORDS = ("a", "ab", "b", "ba", "bb", "aba", "abb")
CHARACTERS = "ab "


def posterior(grammar, weights, arc):
    """Share of the weight of the sentences that pass an arc."""
    passing = [p for sentence, p in weights.items() if (arc.start, arc.word) in set(choices_of(grammar, sentence))]
    return sum(passing) / sum(weights.values())


@GRAMMARS
@pytest.mark.parametrize("frames", [3, 6])
def test_arcs_are_as_likely_as_all_ctc_alignments_of_their_sentences(grammar, frames):
    logp = noise(frames, classes=4, seed=frames)
    weights = ctc_sentences(grammar, logp, CHARACTERS)
    found = flow(over_characters(grammar, CHARACTERS), logp)
    assert np.exp(found.total) == pytest.approx(sum(weights.values()), rel=1e-6)
    assert np.exp(found.stops).sum() == pytest.approx(1)
    for arc, logp_of_arc in zip(grammar.arcs, found.arcs, strict=True):
        assert np.exp(logp_of_arc) == pytest.approx(posterior(grammar, weights, arc), rel=1e-6)


@GRAMMARS
@pytest.mark.parametrize(("frames", "min_frames"), [(6, 1), (6, 2), (5, 1), (6, 3)])
def test_arcs_are_as_likely_as_all_ways_to_cut_the_clip_into_their_words(grammar, frames, min_frames):
    logp = noise(frames, classes=1 + len(WORDS), seed=frames)
    weights = word_sentences(grammar, logp, WORDS, min_frames, scale=0.5)
    found = flow(over_words(grammar, WORDS, min_frames), logp * 0.5)
    assert np.exp(found.total) == pytest.approx(sum(weights.values()), rel=1e-6)
    for arc, logp_of_arc in zip(grammar.arcs, found.arcs, strict=True):
        assert np.exp(logp_of_arc) == pytest.approx(posterior(grammar, weights, arc), rel=1e-6)


@GRAMMARS
def test_the_shortest_clip_is_told_to_the_frame(grammar):
    for least, automaton, classes in (
        (shortest_characters(grammar), over_characters(grammar, CHARACTERS), 4),
        (shortest_words(grammar, 2), over_words(grammar, WORDS, 2), 1 + len(WORDS)),
    ):
        assert flow(automaton, noise(least, classes, seed=0)).possible
        assert least == 1 or not flow(automaton, noise(least - 1, classes, seed=0)).possible


def test_a_doubled_letter_counts_its_blank_towards_the_shortest_clip():
    assert shortest_characters(Grammar.of_phrases("doubles", "en", ["miss aa"])) == 9


def both(grammar, characters, words, min_frames=1):
    return [
        (0.5, flow(over_characters(grammar, CHARACTERS), characters)),
        (0.5, flow(over_words(grammar, WORDS, min_frames), words * 0.5)),
    ]


@GRAMMARS
def test_sentences_are_ranked_as_their_choices_counted_by_hand(grammar):
    characters, words = noise(6, 4, seed=5), noise(6, 1 + len(WORDS), seed=6)
    one = arc_shares(grammar, ctc_sentences(grammar, characters, CHARACTERS))
    other = arc_shares(grammar, word_sentences(grammar, words, WORDS, 1, scale=0.5))
    mixed = {choice: (one[choice] * other[choice]) ** 0.5 for choice in one}
    whole = {state: sum(p for (start, _), p in mixed.items() if start == state) for state, _ in mixed}
    counted = {
        sentence: np.prod([mixed[choice] / whole[choice[0]] for choice in choices_of(grammar, sentence)])
        for sentence in grammar.sentences()
    }
    choices = Choices.of(grammar)
    paths = best_paths(grammar, choices, blended(choices, both(grammar, characters, words)), most=100)
    found = [(" ".join(grammar.arcs[arc].word for arc in path.arcs), np.exp(path.logp)) for path in paths]
    assert [text for text, _ in found] == sorted(counted, key=counted.get, reverse=True)
    assert [p for _, p in found] == pytest.approx(sorted(counted.values(), reverse=True), rel=1e-5)
    assert sum(p for _, p in found) == pytest.approx(1)


def test_equally_good_sentences_are_found_without_trying_them_all():
    grammar = Grammar.of_slots("many", "en", [list("abcdefghij")] * 40)
    choices = Choices.of(grammar)
    paths = best_paths(grammar, choices, np.where(choices.arcs == STOP, 0.0, np.log(0.1)), most=7)
    assert len({path.arcs for path in paths}) == 7
    assert [path.logp for path in paths] == pytest.approx([40 * np.log(0.1)] * 7)


@GRAMMARS
def test_a_head_that_is_sure_of_what_the_other_rules_out_does_not_end_the_reading(grammar):
    characters, words = noise(3, 4, seed=1), noise(3, 1 + len(WORDS), seed=2)
    choices = Choices.of(grammar)
    paths = best_paths(grammar, choices, blended(choices, both(grammar, characters, words, min_frames=2)), most=100)
    assert paths
    assert sum(np.exp(path.logp) for path in paths) == pytest.approx(1)


def test_words_that_begin_alike_share_their_letters():
    apart = over_characters(Grammar.of_words("apart", "en", ["reading", "lips"]), "abcdefghijklmnopqrstuvwxyz ")
    alike = over_characters(Grammar.of_words("alike", "en", ["reading", "read"]), "abcdefghijklmnopqrstuvwxyz ")
    assert len(apart.classes) == 1 + 2 * 11
    assert len(alike.classes) == 1 + 2 * 7


def test_a_word_within_another_keeps_its_own_share():
    grammar = Grammar.of_words("nested", "en", ["a", "ab"])
    logp = log_softmax(np.log(np.array([[0.1, 0.8, 0.1], [0.3, 0.2, 0.5]])))
    found = flow(over_characters(grammar, "ab"), logp)
    a = 0.8 * 0.3 + 0.8 * 0.2 + 0.1 * 0.2
    assert np.exp(found.arcs) == pytest.approx([a / (a + 0.8 * 0.5), 0.8 * 0.5 / (a + 0.8 * 0.5)])


def opinion(*shares):
    """What a head thinks of the two words of a grammar."""
    arcs = np.array([np.log(p) if p else NEVER for p in shares])
    return Flow(arcs, np.array([NEVER, 0.0]), -3.0)


def mixed(*heads):
    return np.exp(blended(Choices.of(Grammar.of_words("two", "en", ["a", "b"])), heads)[:2])


def test_heads_are_averaged_in_their_logs_by_weight():
    odds = (0.9 / 0.1) ** 0.25 * (0.2 / 0.8) ** 0.75
    assert mixed((0.25, opinion(0.9, 0.1)), (0.75, opinion(0.2, 0.8))) == pytest.approx(
        [odds / (1 + odds), 1 / (1 + odds)]
    )


def test_what_one_head_rules_out_is_out():
    assert mixed((0.5, opinion(0.9, 0.1)), (0.5, opinion(0, 1))) == pytest.approx([0, 1])


def test_the_first_head_decides_where_the_heads_rule_out_each_others_words():
    assert mixed((0.5, opinion(1, 0)), (0.5, opinion(0, 1))) == pytest.approx([1, 0])


def test_a_head_without_weight_has_no_say():
    assert mixed((0.0, opinion(1, 0)), (1.0, opinion(0.3, 0.7))) == pytest.approx([0.3, 0.7])


def test_a_head_without_weight_decides_alone_if_there_is_no_other():
    assert mixed((0.0, opinion(0.4, 0.6))) == pytest.approx([0.4, 0.6])
