"""All dashboards there are, and the files that they are kept in."""

from services.operating.dashboards.drift import DRIFT
from services.operating.dashboards.kafka import KAFKA
from services.operating.dashboards.panels import Dashboard
from services.operating.dashboards.reading import READING
from services.operating.dashboards.release import RELEASE
from services.operating.dashboards.service import SERVICE

DASHBOARDS: tuple[Dashboard, ...] = (SERVICE, READING, DRIFT, RELEASE, KAFKA)


def written() -> dict[str, str]:
    """The file of each dashboard, by its name."""
    from services.operating.dashboards.drawing import draw

    return {f"{dashboard.uid}.json": draw(dashboard) for dashboard in DASHBOARDS}
