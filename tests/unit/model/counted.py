"""The decoders' answers counted out by hand: every alignment of a small clip, one by one. And clips made to order."""

import itertools
from collections import defaultdict

import numpy as np

from lipsol.model.emissions import Emissions

LATIN = "abcdefghijklmnopqrstuvwxyz "


def log_softmax(scores):
    return (scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(np.float32)


def noise(frames, classes, seed, spread=1.5):
    """Log-probabilities without any meaning."""
    return log_softmax(np.random.default_rng(seed).normal(scale=spread, size=(frames, classes)))


def certain(labels, classes):
    """Log-probabilities of a network that is sure of each frame's class, and says -inf to all others."""
    logp = np.full((len(labels), classes), -np.inf, np.float32)
    logp[np.arange(len(labels)), labels] = 0
    return logp


def collapsed(labels):
    """CTC's rule: repeats collapse, blanks (0) go."""
    return tuple(n for n, _ in itertools.groupby(labels) if n)


def ctc_texts(char_logp):
    """Probability of each sequence of classes, summed over all its alignments."""
    p = np.exp(char_logp.astype(np.float64))
    texts = defaultdict(float)
    for labels in itertools.product(range(p.shape[1]), repeat=len(p)):
        texts[collapsed(labels)] += float(np.prod([p[t, n] for t, n in enumerate(labels)]))
    return texts


def spelled(classes, characters):
    return "".join(characters[n - 1] for n in classes)


def ctc_sentences(grammar, char_logp, characters):
    """CTC probability of each sentence of a grammar."""
    texts = {spelled(classes, characters): p for classes, p in ctc_texts(char_logp).items()}
    return {sentence: texts.get(sentence, 0.0) for sentence in grammar.sentences()}


def word_sentences(grammar, word_logp, words, min_frames, scale):
    """Weight of each sentence: all ways to cut the clip into its words and silences around them."""
    p = np.exp(word_logp.astype(np.float64) * scale)
    return {
        sentence: sum(cuts(p, [words.index(word) + 1 for word in sentence.split()], min_frames))
        for sentence in grammar.sentences()
    }


def cuts(p, classes, min_frames):
    """The product of each way to cut: silence (any length), word (min_frames or more), silence, word, ..., silence."""
    kinds = [0] + [kind for n in classes for kind in (n, 0)]
    least = [0] + [length for _ in classes for length in (min_frames, 0)]
    for lengths in itertools.product(range(len(p) + 1), repeat=len(kinds)):
        if sum(lengths) == len(p) and all(map(int.__ge__, lengths, least)):
            labels = np.repeat(kinds, lengths)
            yield float(np.prod(p[np.arange(len(p)), labels]))


def arc_shares(grammar, weights):
    """From weights of sentences: the probability of each choice (state, word or "" to stop) given its state."""
    choices, states = defaultdict(float), defaultdict(float)
    for sentence, weight in weights.items():
        for state, word in choices_of(grammar, sentence):
            choices[state, word] += weight
            states[state] += weight
    return {choice: p / states[choice[0]] for choice, p in choices.items() if states[choice[0]] > 0}


def choices_of(grammar, sentence):
    """What a sentence chooses at each state that it passes."""
    following = {(arc.start, arc.word): arc.end for arc in grammar.arcs}
    state = 0
    for word in sentence.split():
        yield state, word
        state = following[state, word]
    yield state, ""


def spoken(text, words, frames=75, seed=0, characters=LATIN, noisy=1.0, clear=5.0):
    """A clip in which `text` is said from frame 8 to 10 before its end, at an even pace, with noise over it."""
    rng = np.random.default_rng(seed)
    chars = rng.normal(scale=noisy, size=(frames, 1 + len(characters)))
    frames_of_words = rng.normal(scale=noisy, size=(frames, 1 + len(words)))
    at = np.linspace(8, frames - 10, len(text) + 1).astype(int)
    labels = np.zeros(frames, int)
    labels[at[:-1]] = [characters.index(character) + 1 for character in text]
    chars[np.arange(frames), labels] += clear
    said, first = np.zeros(frames, int), 0
    for word in text.split():
        said[at[first] : at[first + len(word)]] = words.index(word) + 1 if word in words else 0
        first += len(word) + 1
    frames_of_words[np.arange(frames), said] += clear
    return Emissions(log_softmax(chars), log_softmax(frames_of_words), characters, tuple(words))
