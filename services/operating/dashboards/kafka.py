"""Kafka: does anything wait on its way between the services, fail, or die? As our own processes tell it."""

from services.operating.dashboards.panels import Dashboard, Panel, Query, Row, quantile, rate

_BROKER = """\
These figures are what LipSol's own processes tell, so they stand still when a broker is gone. To see the brokers
themselves, run Prometheus' JMX exporter in them and let Prometheus ask it: with Strimzi, set `spec.kafka.metricsConfig`
(`type: jmxPrometheusExporter`) and add a `PodMonitor`; elsewhere, start the broker with
`KAFKA_OPTS=-javaagent:jmx_prometheus_javaagent.jar=9404:kafka-metrics.yaml`. Then watch under-replicated partitions,
offline partitions, the request handlers' idle share and the disks."""

_WAITS = Row(
    "Does anything wait?",
    (
        Panel(
            "Lag",
            "short",
            (Query("lipsol:queue_lag:messages", "{{stage}}"),),
            why="Messages that wait for a stage or are in its hands: while it grows, more comes in than is done.",
            worry=20,
            runbooks=("lag",),
        ),
        Panel(
            "From publishing to being taken up, 95th percentile",
            "s",
            (Query(quantile(0.95, "lipsol_message_wait_seconds", "stage"), "{{stage}}"),),
            worry=1,
            bad=30,
            exemplars=True,
        ),
        Panel("Handled", "cps", (Query(rate("lipsol_messages_handled_total", "stage"), "{{stage}}"),)),
        Panel(
            "Time of a handler, 95th percentile",
            "s",
            (Query(quantile(0.95, "lipsol_handle_seconds", "stage"), "{{stage}}"),),
            exemplars=True,
            width=12,
        ),
        Panel(
            "Worked off in",
            "s",
            (
                Query(
                    "lipsol:queue_lag:messages / lipsol:handled:rate5m",
                    "{{stage}}",
                ),
            ),
            why="How long a stage needs for what waits, at the pace that it has now.",
            worry=30,
            bad=120,
            runbooks=("lag",),
            width=12,
        ),
    ),
)

_FAILS = Row(
    "Does anything fail, or die?",
    (
        Panel(
            "Share of the tries that failed",
            "percentunit",
            (Query("lipsol:failed:ratio_rate5m", "{{stage}}", empty="nothing failed but clips"),),
            why="Through no fault of the clips: retries still hide some of it.",
            worry=0.01,
            bad=0.05,
            runbooks=("errors",),
        ),
        Panel(
            "Tries that failed",
            "cps",
            (Query(rate("lipsol_messages_failed_total", "stage", "reason"), "{{stage}}: {{reason}}"),),
        ),
        Panel(
            "Given up within 15 minutes",
            "short",
            (Query("lipsol:dead_letters:increase15m", "{{stage}}: {{reason}}"),),
            why="Each is a clip that got no reading. They are kept: look at them, mend the cause, replay them.",
            bad=1,
            runbooks=("dead-letters",),
        ),
        Panel(
            "Dead letters on their topic",
            "cps",
            (Query(rate("lipsol_dead_letters_seen_total", "reason"), "{{reason}}"),),
        ),
    ),
)

KAFKA = Dashboard(
    uid="lipsol-kafka",
    title="LipSol: Kafka",
    answers="Does anything wait on its way between the services, fail, or die?",
    rows=(
        _WAITS,
        _FAILS,
        Row("And the brokers?", (Panel("How to see them", "", (), why=_BROKER, kind="words", width=24),)),
    ),
)
