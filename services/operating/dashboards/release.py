"""Release: is the canary as good as stable, and how many people does it reach?"""

from services.operating.dashboards.panels import Dashboard, Panel, Query, Row, mean, quantile, rate, share

READ = "lipsol_predictions_total"
MODEL = 'model=~"$model"'

_TRAFFIC = Row(
    "How many people does the canary reach?",
    (
        Panel(
            "Share of the sessions",
            "percentunit",
            (
                Query(
                    "max by (stage, mode) (lipsol_traffic_weight_ratio)",
                    "{{mode}}, as {{stage}} knows it",
                ),
            ),
            runbooks=("canary-stuck", "canary-silent"),
        ),
        Panel(
            "The policy ends in",
            "s",
            (
                Query(
                    "max by (stage) (lipsol_traffic_expiry_timestamp_seconds > 0) - time()",
                    "as {{stage}} knows it",
                ),
            ),
            why="A canary needs a living analyst, who renews the policy: below 0 all goes to stable again.",
            worry=30,
            bad=0,
            runbooks=("policy-expired",),
        ),
        Panel(
            "Readings by track",
            "cps",
            (Query(rate(READ, "track", where=MODEL), "{{track}}"),),
            why="What each track really reads: too few from the canary are no evidence.",
        ),
        Panel(
            "Policies refused",
            "cps",
            (Query(rate("lipsol_policies_refused_total", "stage"), "{{stage}}"),),
        ),
        Panel(
            "Bundles that took over",
            "cps",
            (
                Query(
                    rate("lipsol_models_swapped_total", "model", where=MODEL),
                    "{{model}}",
                    empty="no newer bundle came while it served",
                ),
            ),
        ),
        Panel("Versions", "short", (Query("count by (version) (lipsol_build_info)", "{{version}}"),)),
    ),
)


def _among(title: str, counter: str) -> Panel:
    """The share of a track's last readings that a counter counts."""
    return Panel(title, "percentunit", (Query(share(counter, READ, "track", where=MODEL, over="15m"), "{{track}}"),))


_AGAINST = Row(
    "Stable against canary: is it as good?",
    (
        Panel(
            "Time to an answer, 95th percentile",
            "s",
            (Query(quantile(0.95, "lipsol_answer_seconds", "track"), "{{track}}"),),
            exemplars=True,
            worry=1,
            bad=2.5,
        ),
        Panel(
            "Confidence, mean",
            "percentunit",
            (Query(mean("lipsol_confidence_ratio", "track", where=MODEL), "{{track}}"),),
        ),
        Panel(
            "Word error rate, by corrections",
            "percentunit",
            (
                Query(f"lipsol_corrected_word_error_ratio{{{MODEL}}}", "{{track}} {{model}}"),
                Query(f"lipsol_corrected_word_error_low_ratio{{{MODEL}}}", "{{track}} {{model}} at least"),
                Query(f"lipsol_corrected_word_error_high_ratio{{{MODEL}}}", "{{track}} {{model}} at most"),
            ),
            why='The canary is certainly worse where its "at least" lies above stable\'s "at most".',
        ),
        _among("Not sure", "lipsol_abstained_total"),
        _among("Without any text", "lipsol_empty_answers_total"),
        _among("Filmed again", "lipsol_redone_total"),
        _among("Given up", "lipsol_gave_up_total"),
        Panel(
            "Tries that failed in the reader",
            "cps",
            (
                Query(
                    rate("lipsol_messages_failed_total", "stage", "reason", where='stage=~"inference.*"'),
                    "{{stage}}: {{reason}}",
                ),
            ),
        ),
        Panel(
            "Drift of the canary",
            "short",
            (
                Query(
                    f'max by (kind, model) (lipsol_drift_state{{track="canary", {MODEL}}})',
                    "{{kind}}: {{model}}",
                ),
            ),
            kind="states",
            why="What the monitor finds of the canary alone; it may abort it (docs/monitoring.md).",
            bad=1,
        ),
    ),
)

_SHADOW = Row(
    "In shadow: what would people notice?",
    (
        Panel("Copies read", "cps", (Query(rate("lipsol_shadow_readings_total", "model", where=MODEL), "{{model}}"),)),
        Panel(
            "Read otherwise than by stable",
            "percentunit",
            (Query(share("lipsol_disagreed_total", "lipsol_compared_total", "model", where=MODEL), "{{model}}"),),
            why="Share of the clips that both tracks read, of which they made different texts.",
            worry=0.2,
            bad=0.5,
        ),
        Panel(
            "Copies passed over",
            "cps",
            (
                Query(
                    rate("lipsol_copies_skipped_total", "track"),
                    "{{track}}",
                    empty="the canary keeps up with its copies",
                ),
            ),
        ),
    ),
)

RELEASE = Dashboard(
    uid="lipsol-release",
    title="LipSol: release",
    answers="Is the canary as good as stable, and how many people does it reach?",
    rows=(_TRAFFIC, _AGAINST, _SHADOW),
    by=("model",),
)
