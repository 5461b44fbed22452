"""How the software fares: is it fast enough, does it fail, is it full, does it lose anything?"""

from functools import partial

from lipsol.runtime.metrics.metric import COUNTS, SIZES, SLOW, TENTHS, counter, gauge, histogram

_counter, _gauge, _histogram = partial(counter, "software"), partial(gauge, "software"), partial(histogram, "software")

_WORKERS = (
    _counter(
        "lipsol_messages_handled_total",
        "messages",
        "Messages done: handled, published, committed.",
        "does a stage work at all?",
        "stage",
    ),
    _counter(
        "lipsol_messages_failed_total",
        "tries",
        "Tries that failed, by reason (bad-input, model-error, transient, fault).",
        "is something broken that retries still hide?",
        "stage",
        "reason",
    ),
    _counter(
        "lipsol_dead_letters_total",
        "messages",
        "Messages given up, by reason (bad-input, model-error, exhausted, too-late).",
        "each is a clip that got no reading",
        "stage",
        "reason",
    ),
    _histogram(
        "lipsol_handle_seconds",
        "seconds",
        "Time of one call of a stage's handler.",
        "which stage became slow?",
        "stage",
    ),
    _gauge(
        "lipsol_queue_lag_messages",
        "messages",
        "Messages that wait for a stage or are in its hands: its group's lag.",
        "does more come in than is worked off? What scales the readers looks here too",
        "stage",
    ),
    _histogram(
        "lipsol_message_wait_seconds",
        "seconds",
        "From a message's publishing to the moment in which a stage takes it up.",
        "how stale is what a stage works on? A lag counts messages, this the time that people wait",
        "stage",
        buckets=(*SLOW, 3600.0),
    ),
    _gauge(
        "lipsol_ready",
        "1 or 0",
        "1 while a service says that it is ready (as its /readyz does), else 0.",
        "is there somebody who takes work? Where no process tells it, the service is down",
        "stage",
    ),
    _gauge(
        "lipsol_build_info",
        "1",
        "Always 1; the version that runs.",
        "which version was it that misbehaved, and do all replicas run the same?",
        "version",
    ),
)

_EDGE = (
    _counter(
        "lipsol_clips_received_total", "clips", "Clips that reached the edge.", "how much is asked of the platform?"
    ),
    _gauge(
        "lipsol_waiting_clips",
        "clips",
        "Clips in the edge's bounded pool, waiting or in work.",
        "how deep is the line before the watchers?",
    ),
    _gauge(
        "lipsol_waiting_limit_clips",
        "clips",
        "How many may be in it; more are turned away with 429.",
        "how near is the edge to turning people away?",
    ),
    _histogram(
        "lipsol_clip_bytes",
        "bytes",
        "Size of the uploaded files.",
        "did uploads grow, and time with them?",
        buckets=SIZES,
    ),
    _histogram(
        "lipsol_answer_seconds",
        "seconds",
        "From the whole clip at the edge to its result.",
        "what a person waits: the service level is held against it",
        "track",
    ),
    _histogram(
        "lipsol_stage_seconds",
        "seconds",
        "Time of one stage for one clip (decode, face, mouth, quality, queue, read, total).",
        "where does the time go?",
        "stage",
    ),
    _histogram(
        "lipsol_sweep_seconds",
        "seconds",
        "Time of one look for what the store needs no more.",
        "does the store outgrow its sweeping?",
        buckets=SLOW,
    ),
    _counter("lipsol_sweeps_failed_total", "looks", "Such looks that failed.", "is old data really removed?"),
    _gauge(
        "lipsol_last_sweep_timestamp_seconds",
        "seconds",
        "When the last such look that went well ended, Unix time.",
        "retention is a promise to people: it is broken while this stands still",
    ),
    _counter(
        "lipsol_objects_swept_total",
        "objects",
        "Objects removed by them, by reason: expired, or orphan (of a clip whose edge died at it).",
        "how much is removed, and do edges die at clips?",
        "reason",
    ),
)

_READING = (
    _gauge(
        "lipsol_line_clips",
        "clips",
        "Clips that wait for a place in a batch.",
        "how deep is the line before a network?",
        "model",
    ),
    _gauge(
        "lipsol_line_limit_clips",
        "clips",
        "How many may wait there; more are Busy.",
        "how near is a reader to turning work away?",
        "model",
    ),
    _histogram(
        "lipsol_line_seconds",
        "seconds",
        "From a clip's coming to the core to the start of its batch.",
        "what batching costs in waiting",
    ),
    _histogram(
        "lipsol_batch_clips",
        "clips",
        "Clips that go through a network together.",
        "are batches filled, or is the network called clip by clip?",
        buckets=COUNTS,
    ),
    _histogram(
        "lipsol_batch_padding_ratio",
        "ratio",
        "Share of a batch that is padding.",
        "how much of the network's work is for nothing?",
        buckets=TENTHS,
    ),
    _histogram("lipsol_network_seconds", "seconds", "Time of one batch in its network.", "did the network slow down?"),
    _histogram(
        "lipsol_search_seconds",
        "seconds",
        "Time of finding one clip's words in what the network said.",
        "did somebody's grammar make the search slow?",
    ),
    _counter(
        "lipsol_models_swapped_total",
        "bundles",
        "Newer bundles that took over while serving.",
        "when did what reads change?",
        "model",
    ),
    _gauge(
        "lipsol_refused_models",
        "bundles",
        "Names and languages whose newest bundle can't be used, so that an older one goes on serving.",
        "a release that nobody reads by is no release",
    ),
    _counter(
        "lipsol_copies_skipped_total",
        "clips",
        "Shadow copies that a track passed over unread.",
        "is there evidence about a canary in shadow at all?",
        "track",
    ),
    _gauge(
        "lipsol_rehearsed_fault_info",
        "1",
        "1 where readings go wrong on purpose (LIPSOL_REHEARSAL__FAULT), by what goes wrong; else there is none.",
        "is what looks like a fault a rehearsal, and is there one where users are?",
        "kind",
    ),
)

_SATURATION = (
    _counter(
        "lipsol_busy_seconds_total",
        "seconds",
        "Time that threads spent at work, by stage (watch, network, search).",
        "with lipsol_threads the share of the time in which a stage is busy: full before it is slow",
        "stage",
    ),
    _gauge(
        "lipsol_threads",
        "threads",
        "Threads that a stage may keep busy (watch, network, search).",
        "what a stage's busy seconds are held against",
        "stage",
    ),
    _counter(
        "lipsol_abandoned_total",
        "clips",
        "Work that nobody waited for any more, by where it was dropped (edge, line, or the stage that took its message)"
        " and why (too-late, cancelled).",
        "work done or queued for nobody: people wait too long, or clients give up too soon",
        "stage",
        "reason",
    ),
    _gauge(
        "lipsol_gpu_busy_ratio",
        "ratio",
        "Share of the last moments in which the GPU ran something; only where there is one.",
        "is the GPU the bottleneck, or idle and dear?",
        "gpu",
    ),
    _gauge(
        "lipsol_gpu_memory_bytes",
        "bytes",
        "Memory of the GPU that is in use, by whomever.",
        "does another bundle still fit?",
        "gpu",
    ),
    _gauge("lipsol_gpu_memory_limit_bytes", "bytes", "Memory that the GPU has.", "what its use is held against", "gpu"),
    _gauge(
        "lipsol_certificate_expiry_timestamp_seconds",
        "seconds",
        "When the first of the certificates ends by which this process trusts others, Unix time; kind: bus, the"
        " brokers' authority.",
        "after that no broker is reached: renew it before",
        "kind",
    ),
)

_TRAFFIC = (
    _gauge(
        "lipsol_traffic_weight_ratio",
        "ratio",
        "Share of the sessions that the canary gets, or copies of, by the policy as a stage knows it; 0 once expired.",
        "how many people does a bad canary reach?",
        "stage",
        "mode",
    ),
    _gauge(
        "lipsol_traffic_expiry_timestamp_seconds",
        "seconds",
        "When the policy that a stage knows ends, Unix time; 0: it has no end.",
        "does somebody still renew it?",
        "stage",
    ),
    _counter(
        "lipsol_policies_refused_total",
        "policies",
        "Policies that could not be meant.",
        "does somebody write nonsense on the traffic topic?",
        "stage",
    ),
)

_MONITOR = (
    _counter(
        "lipsol_dead_letters_seen_total",
        "messages",
        "Dead letters on their topic, whichever process wrote them, by kind (as lipsol_dead_letters_total).",
        "the same when the process that wrote them is gone",
        "reason",
    ),
    _counter(
        "lipsol_late_events_total",
        "events",
        "Events that belong into a window that had passed, by kind (counted there, or too-late: its window is gone).",
        "how far may the figures of the last minutes still change?",
        "kind",
    ),
    _counter(
        "lipsol_reports_made_total",
        "reports",
        "Reports of the monitor that were made and kept, by kind.",
        "is there one to look at?",
        "kind",
    ),
    _counter(
        "lipsol_reports_failed_total",
        "reports",
        "Reports that were not made, by reason: memory or time over its bound, fault, or a whole round.",
        "why is there none?",
        "reason",
    ),
    _gauge(
        "lipsol_counting_monitors",
        "monitors",
        "1 while this monitor counts, 0 while another one does.",
        "their sum is 1; at 0 nobody watches",
    ),
    _gauge(
        "lipsol_uncompared_groups",
        "groups",
        "Groups that read within the last hour and that nothing is compared with, by reason: no-reference (their "
        "bundle brings none), away (it can't be had), loading.",
        "where nothing is compared, quiet means nothing",
        "reason",
    ),
    _gauge(
        "lipsol_monitor_state_timestamp_seconds",
        "seconds",
        "When the monitor last kept what it knows, Unix time.",
        "how much must a restarted monitor read again?",
    ),
    _gauge(
        "lipsol_monitor_state_bytes",
        "bytes",
        "How much it kept.",
        "its memory is bounded: this must not grow with time",
    ),
)

SOFTWARE = (*_WORKERS, *_EDGE, *_READING, *_SATURATION, *_TRAFFIC, *_MONITOR)

PROCESS: tuple[str, ...] = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
)
"""What every process tells of itself besides, as Prometheus's clients name it."""
