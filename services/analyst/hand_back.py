"""The hand-back: all traffic to stable, and the canary away. After an upgrade, before a rollback, before an uninstall.

Done twice, it is done once. What is away is tried again for `PATIENCE_S`, and then told: a release that can't be made
safe must not go on.

Before a rollback it is asked too what becomes of it: one to a revision that failed would let its bundle read for all
users, and nobody ever judged that to the end. `helm rollback` that is given no revision goes to the newest but one.
"""

import structlog

from lipsol.bus.port import Bus
from lipsol.errors import NotFound
from lipsol.events import RolloutLooked
from lipsol.runtime.clock import Clock
from lipsol.runtime.envelope import wrap
from lipsol.traffic import Policy
from services.analyst.cluster import Cluster
from services.analyst.patience import patiently
from services.analyst.settings import AnalystSettings
from services.analyst.teller import publish

SOURCE = "hand-back"  # who publishes, in envelopes
PATIENCE_S = 60.0  # a broker restarts in less, and the Job has three times as long

log = structlog.get_logger()


def hand_back(settings: AnalystSettings, bus: Bus, cluster: Cluster, clock: Clock) -> str:
    """Hand all back; what was done, for people. Raises Transient where the brokers or the API server stay away."""
    now = clock.now()
    by = f"hand-back {settings.release} v{settings.revision}"
    policy = wrap(Policy(set_by=by, reason="all is stable's again", set_at=now).event(), SOURCE, now)
    patiently(clock, PATIENCE_S, lambda: bus.publish(policy.topic, policy.key, policy.value, policy.headers))
    was_there = patiently(clock, PATIENCE_S, lambda: cluster.delete(settings.deployment))
    said = "all is stable's, and the canary is gone" if was_there else "all is stable's; there was no canary"
    publish(bus, _told(settings, said, clock.now()), clock.now())
    log.info("handed-back", release=settings.release, revision=settings.revision, canary=was_there)
    return said


def way_back(settings: AnalystSettings, cluster: Cluster, clock: Clock) -> str:
    """Why the revision that is gone back to must not be; "": it was deployed once, or nobody can tell.

    Raises Transient where the API server stays away, or does not say.
    """
    release, revision = settings.release, settings.revision
    try:
        status = patiently(clock, PATIENCE_S, lambda: cluster.release_status(release, revision))
    except NotFound as fault:
        log.warning("way-back-not-known", reason=fault.detail)  # Helm keeps its releases elsewhere
        return ""
    if status != "failed" and not status.startswith("pending-"):
        return ""
    return (
        f"{release} v{revision} is {status}: no upgrade to it was carried through, and all users would be read for by "
        f"what nobody judged to the end; name a revision that was deployed (helm history {release}); --no-hooks insists"
    )


def _told(settings: AnalystSettings, reason: str, now: float) -> RolloutLooked:
    return RolloutLooked(
        release=settings.release,
        namespace=settings.namespace,
        revision=settings.revision,
        bundle="",
        way="",
        step=0,
        steps=0,
        kind="",
        weight=0.0,
        what="handed-back",
        reason=reason,
        findings=(),
        canary_clips=0,
        baseline_clips=0,
        began_at=0.0,
        deadline_at=0.0,
        expires_at=0.0,
        looked_at=now,
    )
