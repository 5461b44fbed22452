"""Reading quality: is what goes out right, is it sure, and what do people make of it?"""

from services.operating.dashboards.panels import WHO, Dashboard, Panel, Query, Row, grown, mean, rate, share, spread

READ = "lipsol_predictions_total"
HOUR = "1h"  # people tell seldom: of minutes there is mostly nothing to say
MODEL = 'model=~"$model"'
WHOSE = "{{track}} {{model}}"


def _error(part: str, title: str) -> Panel:
    """An error rate with its interval."""
    name = f"lipsol_corrected_{part}_error"
    return Panel(
        title,
        "percentunit",
        (
            Query(f"{name}_ratio{{{WHO}}}", WHOSE),
            Query(f"{name}_low_ratio{{{WHO}}}", f"{WHOSE} at least"),
            Query(f"{name}_high_ratio{{{WHO}}}", f"{WHOSE} at most"),
        ),
        why="Over what people judged or corrected, with its 95 % interval. People correct what is wrong rather than "
        "what is right: read it as a trend beside the model's card.",
        worry=0.15,
        bad=0.3,
        runbooks=("word-errors",),
        width=12,
    )


def _among_readings(title: str, counter: str, worry: float, bad: float) -> Panel:
    """The share of the last hour's readings that a counter counts, by who read."""
    return Panel(
        title,
        "percentunit",
        (Query(share(counter, READ, "track", "model", where=WHO, over=HOUR), WHOSE),),
        worry=worry,
        bad=bad,
        width=6,
    )


_RIGHT = Row(
    "Is it right, by those who know?",
    (
        _error("word", "Word error rate"),
        _error("character", "Character error rate"),
        Panel(
            "What people said of readings within an hour",
            "short",
            (Query(grown("lipsol_verdicts_total", "model", "reason", where=MODEL, over=HOUR), "{{model}} {{reason}}"),),
        ),
        Panel(
            "Sure, and wrong",
            "percentunit",
            (
                Query(
                    share("lipsol_misled_total", "lipsol_predictions_total", "model", where=MODEL, over=HOUR),
                    "{{model}}",
                ),
            ),
            why="Share of the readings that were told as sure and that people called wrong. Saying that it is not sure "
            "is honest; being sure of what was never said misleads.",
            worry=0.02,
            bad=0.05,
            runbooks=("error-budget",),
        ),
        Panel(
            "Corrected within an hour",
            "short",
            (Query(grown("lipsol_corrections_total", "model", where=MODEL, over=HOUR), "{{model}}"),),
        ),
    ),
)

_SURE = Row(
    "Is it sure?",
    (
        Panel(
            "Confidence",
            "percentunit",
            spread("lipsol_confidence_ratio", "track", "model", where=WHO),
            width=12,
        ),
        Panel(
            "Confidence, spread out",
            "percentunit",
            (Query(f"sum by (le) (increase(lipsol_confidence_ratio_bucket{{{WHO}}}[$__rate_interval]))", "{{le}}"),),
            kind="heat",
            why="Two bands instead of one are two kinds of clips or of people: one of them is badly served.",
            width=12,
        ),
        Panel(
            "Not sure",
            "percentunit",
            (Query(f"lipsol_abstained_ratio{{{WHO}}}", WHOSE),),
            why="Share of abstentions among the last readings: how often people are left with guesses.",
            worry=0.2,
            bad=0.8,
            runbooks=("abstention-surge",),
            width=12,
        ),
        Panel(
            "Entropy of the network",
            "percentunit",
            (Query(mean("lipsol_entropy_ratio", "track", "model", where=WHO), WHOSE),),
            width=12,
        ),
    ),
)

_PEOPLE = Row(
    "What do people make of it?",
    (
        _among_readings("Filmed again", "lipsol_redone_total", 0.2, 0.4),
        _among_readings("Given up", "lipsol_gave_up_total", 0.05, 0.15),
        _among_readings("Without any text", "lipsol_empty_answers_total", 0.01, 0.05),
        Panel("Readings", "cps", (Query(rate(READ, "track", "model", where=WHO), WHOSE),), width=6),
    ),
)

_SAID = Row(
    "What does it say?",
    (
        Panel(
            "The commonest words",
            "percentunit",
            (
                Query(
                    f"topk(10, {rate('lipsol_words_total', 'word', where=WHO)} / "
                    f"ignoring (word) group_left () {rate('lipsol_words_total', where=WHO)})",
                    "{{word}}",
                ),
            ),
            why="Share of all words read. Does one word crowd out the others, or do people say other things?",
        ),
        Panel(
            "The commonest characters",
            "percentunit",
            (
                Query(
                    f"topk(10, {rate('lipsol_characters_total', 'character', where=WHO)} / "
                    f"ignoring (character) group_left () {rate('lipsol_characters_total', where=WHO)})",
                    "{{character}}",
                ),
            ),
            why="Share of all characters read: one that crowds out the others is a network that fell silent.",
        ),
        Panel("Characters a reading", "short", spread("lipsol_text_characters", where=WHO)),
        Panel("Words a reading", "short", (Query(mean("lipsol_text_words", "track", "model", where=WHO), WHOSE),)),
    ),
)

READING = Dashboard(
    uid="lipsol-reading",
    title="LipSol: reading quality",
    answers="Is what goes out right, is it sure, and what do people make of it?",
    rows=(_RIGHT, _SURE, _PEOPLE, _SAID),
    by=("track", "model"),
)
