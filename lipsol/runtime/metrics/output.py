"""What goes out: how sure are the readings, what do people make of them, and what did the monitor find and do?

Told by the monitor. Shadow copies, which no user saw, count only in what names them.
"""

from functools import partial

from lipsol.runtime.metrics.metric import FEW, LETTERS, TENTHS, counter, gauge, histogram

_counter, _gauge, _histogram = partial(counter, "output"), partial(gauge, "output"), partial(histogram, "output")

_READINGS = (
    _counter("lipsol_predictions_total", "readings", "Readings made.", "how much is read, by whom?", "track", "model"),
    _counter(
        "lipsol_abstained_total",
        "readings",
        "Readings in which the reader was not sure.",
        "how often are people left with guesses?",
        "track",
        "model",
    ),
    _gauge(
        "lipsol_abstained_ratio",
        "ratio",
        "Share of abstentions among the last readings.",
        "the same at a glance",
        "track",
        "model",
    ),
    _histogram(
        "lipsol_confidence_ratio",
        "ratio",
        "Confidence of the readings.",
        "is it less sure than on the day of its release? That shows before any person tells",
        "track",
        "model",
        buckets=TENTHS,
    ),
    _histogram(
        "lipsol_entropy_ratio",
        "ratio",
        "Entropy of what the network said of a frame, over the most that it can be.",
        "is the network itself unsure, whatever grammar hides it?",
        "track",
        "model",
        buckets=TENTHS,
    ),
    _counter(
        "lipsol_empty_answers_total",
        "readings",
        "Readings without any text.",
        "a reader that says nothing is never wrong, and of no use",
        "track",
        "model",
    ),
    _histogram(
        "lipsol_text_characters",
        "characters",
        "Length of the texts that were read.",
        "are words lost, or stammered?",
        "track",
        "model",
        buckets=LETTERS,
    ),
    _histogram(
        "lipsol_text_words",
        "words",
        "Words of the texts that were read.",
        "the same in words",
        "track",
        "model",
        buckets=FEW,
    ),
    _counter(
        "lipsol_characters_total",
        "characters",
        "Characters read, by character of the bundle's alphabet.",
        "does one letter crowd out the others?",
        "track",
        "model",
        "character",
    ),
    _counter(
        "lipsol_words_total",
        "words",
        "Words read, by word of the bundle's own vocabulary; all others are other.",
        "does one word crowd out the others, or do people say other things?",
        "track",
        "model",
        "word",
    ),
    _counter(
        "lipsol_shadow_readings_total",
        "readings",
        "Readings of shadow copies; in no other figure of the readings, and no user's.",
        "how much evidence is there about a canary in shadow?",
        "model",
    ),
    _counter(
        "lipsol_compared_total",
        "clips",
        "Clips that were read by both tracks: once for a user, once as a copy; by the copy's model.",
        "what disagreement is held against",
        "model",
    ),
    _counter(
        "lipsol_disagreed_total",
        "clips",
        "Those of them that were read as different texts.",
        "how much would people notice the new model?",
        "model",
    ),
)

_PEOPLE = (
    _counter(
        "lipsol_redone_total",
        "readings",
        "Readings of clips that a person sent after another one of theirs, within a minute.",
        "people film again when the answer was no use",
        "track",
        "model",
    ),
    _counter(
        "lipsol_gave_up_total",
        "readings",
        "Readings on which a person gave up and typed instead.",
        "the plainest word on whether it helps",
        "track",
        "model",
    ),
    _counter(
        "lipsol_corrections_total",
        "readings",
        "Readings that a person corrected.",
        "how much is learnt from people",
        "model",
    ),
    _counter(
        "lipsol_verdicts_total",
        "readings",
        "Readings judged by a person; reason: right or wrong.",
        "is it right, by those who know?",
        "model",
        "reason",
    ),
    _counter(
        "lipsol_misled_total",
        "readings",
        "Readings told as sure that a person judged to be wrong.",
        "is it honest? Saying that it is not sure is; being sure of what was never said is not",
        "model",
    ),
    *(
        _gauge(f"lipsol_corrected_{part}_error{end}_ratio", "ratio", f"{name}{what}", why, "track", "model")
        for part, name in (("word", "Word error rate"), ("character", "Character error rate"))
        for end, what, why in (
            ("", " of what people judged or corrected.", "is it right? As a trend: people correct what is wrong"),
            ("_low", ", the lower end of its 95 % interval.", "is it certainly worse than the card says?"),
            ("_high", ", the upper end of its 95 % interval.", "may it still be as good as the card says?"),
        )
    ),
)

_FINDINGS = (
    _gauge(
        "lipsol_window_clips",
        "clips",
        "Clips of the window that drift is looked for in.",
        "is there enough to judge by?",
        "track",
        "model",
        "language",
    ),
    _gauge(
        "lipsol_drift_state",
        "1 or 0",
        "1 while this kind of drift is found (camera, speaker, mix, model, software).",
        "what kind of wrong is it?",
        "kind",
        "track",
        "model",
    ),
    _gauge(
        "lipsol_drift_value",
        "by method",
        "What a measure's comparison with the reference came to at the last look.",
        "what moved, and how far?",
        "measure",
        "method",
        "track",
        "model",
        "language",
    ),
    _gauge(
        "lipsol_drift_threshold",
        "by method",
        "What it has to stay below.",
        "how far is it from being told?",
        "measure",
        "method",
        "track",
        "model",
        "language",
    ),
    _counter(
        "lipsol_drift_detected_total",
        "findings",
        "Drift that began.",
        "how often does the monitor call?",
        "kind",
        "track",
        "model",
    ),
    _counter(
        "lipsol_actions_total",
        "actions",
        "What the monitor noted, proposed or did; mode: observe, suggest or act.",
        "what was done about it?",
        "kind",
        "mode",
    ),
)

OUTPUT = (*_READINGS, *_PEOPLE, *_FINDINGS)
