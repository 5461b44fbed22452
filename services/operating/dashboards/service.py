"""Service: do people get answers, in time, and how full is it? Rate, errors and duration, then what is used up."""

from services.operating.dashboards.panels import (
    NO_GPU,
    Dashboard,
    Panel,
    Query,
    Row,
    mean,
    quantile,
    rate,
    share,
    spread,
)

OURS = "and on (job, instance) lipsol_build_info"  # of all processes that Prometheus asks, LipSol's
OURS_TO_MEND = 'reason=~"busy|too-late|transient|fault"'  # refusals that are no fault of the clip

_LEVELS = Row(
    "Are the service levels kept?",
    (
        Panel(
            "Left of the month's budget of errors",
            "percentunit",
            (Query("lipsol:slo_budget_left:ratio30d", "{{slo}}"),),
            why="What may still go wrong within thirty days before a service level is broken: below 0 it is.",
            kind="number",
            worry=0.5,
            bad=0,
            runbooks=("error-budget",),
        ),
        Panel(
            "How fast it is used up",
            "short",
            (
                Query("lipsol:slo_errors:ratio5m / on (slo) group_left () lipsol:slo_budget:ratio", "{{slo}}, 5 min"),
                Query("lipsol:slo_errors:ratio1h / on (slo) group_left () lipsol:slo_budget:ratio", "{{slo}}, 1 h"),
            ),
            why="At 1 the budget lasts just the month; at 14.4, two days, and somebody is called.",
            worry=1,
            bad=14.4,
            runbooks=("error-budget",),
        ),
        Panel(
            "What was bad",
            "percentunit",
            (Query("lipsol:slo_errors:ratio1h", "{{slo}}"),),
            why="Of the last hour: clips turned away or lost through us (availability), answers that took more than "
            "2.5 s (latency), readings told as sure that people judged wrong (honesty).",
            runbooks=("error-budget",),
        ),
    ),
)

_ANSWERED = Row(
    "Do people get answers?",
    (
        Panel("Clips", "cps", (Query(rate("lipsol_clips_received_total")),), kind="number", width=6),
        Panel(
            "Turned away by us",
            "percentunit",
            (
                Query(
                    share("lipsol_clips_refused_total", "lipsol_clips_received_total", within=OURS_TO_MEND, over="5m")
                ),
            ),
            why="Share of the clips that were refused though nothing was wrong with them: the platform was full, late "
            "or broken.",
            kind="number",
            worry=0.001,
            bad=0.01,
            width=6,
        ),
        Panel(
            "Answered within 2.5 s",
            "percentunit",
            (
                Query(
                    'sum (rate(lipsol_answer_seconds_bucket{le="2.5", track=~"$track"}[5m])) / '
                    'sum (rate(lipsol_answer_seconds_count{track=~"$track"}[5m]))'
                ),
            ),
            why="Share of the answers that came as soon as the service level has it, which is for 95 % of them.",
            kind="number",
            worry=0.99,
            bad=0.95,
            width=6,
        ),
        Panel(
            "Lost in the last hour",
            "short",
            (Query("sum (increase(lipsol_dead_letters_seen_total[1h])) or vector(0)"),),
            why="Dead letters, whichever process wrote them: each is a clip that got no reading.",
            kind="number",
            bad=1,
            runbooks=("dead-letters",),
            width=6,
        ),
        Panel(
            "What becomes of clips",
            "cps",
            (
                Query(rate("lipsol_clips_received_total"), "received"),
                Query(rate("lipsol_predictions_total"), "read"),
                Query(rate("lipsol_clips_refused_total"), "refused"),
            ),
            why="All that comes in is read or refused: a gap between the lines is work that waits, or is lost.",
        ),
        Panel("Refused, by reason", "cps", (Query(rate("lipsol_clips_refused_total", "reason"), "{{reason}}"),)),
        Panel(
            "Time to an answer",
            "s",
            spread("lipsol_answer_seconds", "track", where='track=~"$track"', of=(0.5, 0.95, 0.99)),
            worry=1,
            bad=2.5,
            exemplars=True,
        ),
    ),
)

_TIME = Row(
    "Where does the time go?",
    (
        Panel(
            "Mean time of each step",
            "s",
            (Query(mean("lipsol_stage_seconds", "stage"), "{{stage}}"),),
        ),
        Panel(
            "Handlers, 95th percentile",
            "s",
            (Query(quantile(0.95, "lipsol_handle_seconds", "stage"), "{{stage}}"),),
            exemplars=True,
        ),
        Panel(
            "Within the reader, 95th percentile",
            "s",
            (
                Query(quantile(0.95, "lipsol_line_seconds"), "waiting for a batch"),
                Query(quantile(0.95, "lipsol_network_seconds"), "network, a batch"),
                Query(quantile(0.95, "lipsol_search_seconds"), "search, a clip"),
            ),
            why="What batching costs in waiting, whether the network slowed down, and whether somebody's grammar makes "
            "the search slow.",
        ),
        Panel("Size of uploads", "bytes", spread("lipsol_clip_bytes", of=(0.5, 0.95))),
        Panel("Clips a batch", "short", (Query(mean("lipsol_batch_clips"), "mean"),)),
        Panel(
            "Padding of batches",
            "percentunit",
            (Query(mean("lipsol_batch_padding_ratio"), "mean"),),
            worry=0.5,
        ),
    ),
)

_FULL = Row(
    "How full is it?",
    (
        Panel(
            "Threads at work",
            "percentunit",
            (Query('lipsol:saturation:ratio{part=~"threads.*"}', "{{part}}"),),
            why="Share of the time in which a stage's threads are busy: it is full before it is slow.",
            worry=0.7,
            bad=0.9,
            runbooks=("saturated",),
        ),
        Panel(
            "The lines, of what they may hold",
            "percentunit",
            (
                Query("sum (lipsol_waiting_clips) / sum (lipsol_waiting_limit_clips)", "at the edge"),
                Query(
                    "sum by (model) (lipsol_line_clips) / sum by (model) (lipsol_line_limit_clips)",
                    "before {{model}}",
                ),
            ),
            why="How near the platform is to turning people away: at 1 the edge answers 429.",
            worry=0.5,
            bad=0.9,
            runbooks=("saturated",),
        ),
        Panel(
            "Work for nobody",
            "cps",
            (Query(rate("lipsol_abandoned_total", "stage", "reason"), "{{stage}}: {{reason}}"),),
        ),
        Panel(
            "CPU",
            "short",
            (Query(f"rate(process_cpu_seconds_total[$__rate_interval]) {OURS}", "{{instance}}"),),
            why="Cores that each process keeps busy.",
        ),
        Panel(
            "Memory",
            "bytes",
            (Query(f"process_resident_memory_bytes {OURS}", "{{instance}}"),),
            why="Resident memory of each process: it levels off after some hours; one that grows for days leaks.",
        ),
        Panel(
            "Open files, of what a process may have",
            "percentunit",
            (Query(f"(process_open_fds / process_max_fds) {OURS}", "{{instance}}"),),
            why="Sockets and files that are never closed end a process at 1.",
            worry=0.5,
            bad=0.8,
        ),
        Panel(
            "GPU at work",
            "percentunit",
            (Query("lipsol_gpu_busy_ratio", "{{instance}} GPU {{gpu}}", empty=NO_GPU),),
            worry=0.8,
            bad=0.95,
            width=12,
        ),
        Panel(
            "GPU memory",
            "percentunit",
            (
                Query(
                    "lipsol_gpu_memory_bytes / lipsol_gpu_memory_limit_bytes",
                    "{{instance}} GPU {{gpu}}",
                    empty=NO_GPU,
                ),
            ),
            worry=0.8,
            bad=0.92,
            runbooks=("gpu-memory",),
            width=12,
        ),
    ),
)

_HOUSE = Row(
    "What runs, and does it keep its promises?",
    (
        Panel(
            "Ready",
            "short",
            (Query("min by (stage) (lipsol_ready)", "{{stage}}"),),
            kind="states",
            worry=1,
            bad=0.5,
            runbooks=("service-down", "service-not-ready"),
            width=24,
        ),
        Panel("Versions", "short", (Query("count by (version) (lipsol_build_info)", "{{version}}"),)),
        Panel(
            "Running for",
            "s",
            (Query(f"(time() - process_start_time_seconds) {OURS}", "{{instance}}"),),
            why="A line that falls to nothing is a restart: was it meant?",
        ),
        Panel(
            "Bundles that can't be used",
            "short",
            (Query("max by (instance) (lipsol_refused_models)", "{{instance}}"),),
            bad=1,
            runbooks=("bundle-refused",),
        ),
        Panel(
            "Since old data was last removed",
            "s",
            (Query("time() - max (lipsol_last_sweep_timestamp_seconds > 0)", "since the last sweep"),),
            why="What people sent is removed when its time is over: that promise is broken while no sweep goes well.",
            worry=1200,
            bad=3600,
            runbooks=("sweep",),
        ),
        Panel(
            "Sweeps that failed",
            "cps",
            (Query(rate("lipsol_sweeps_failed_total"), "failed"),),
        ),
        Panel("Time of a sweep", "s", spread("lipsol_sweep_seconds", of=(0.5, 0.95)), bad=600),
        Panel(
            "Objects removed",
            "cps",
            (Query(rate("lipsol_objects_swept_total", "reason"), "{{reason}}"),),
        ),
        Panel(
            "Certificates end in",
            "s",
            (
                Query(
                    "min by (kind) (lipsol_certificate_expiry_timestamp_seconds) - time()",
                    "{{kind}}",
                    empty="the bus needs no certificate",
                ),
            ),
            worry=30 * 86400,
            bad=14 * 86400,
            runbooks=("certificate",),
        ),
    ),
)

SERVICE = Dashboard(
    uid="lipsol-service",
    title="LipSol: service",
    answers="Do people get answers, in time, and how full is it?",
    rows=(_LEVELS, _ANSWERED, _TIME, _FULL, _HOUSE),
    by=("track",),
)
