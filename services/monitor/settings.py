"""The monitor's own settings: `LIPSOL_MONITOR__...` in the environment."""

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from lipsol.drift.budget import Sensitivity
from lipsol.events import Automation
from services.doors.service import DoorSettings
from services.monitor.reports.settings import ReportSettings


class MonitorSettings(DoorSettings):
    """What the monitor is told at start-up."""

    port: int = Field(8082, ge=0, le=65535)
    """Port of its board, its JSON and its health; 0 takes any free one."""
    alertmanager: str = ""
    """Address of the Alertmanager whose active alerts the board shows, as `http://alertmanager:9093`. Empty: none is
    asked, and the board shows what the monitor itself found."""
    batch: int = Field(64, ge=1, le=1024)
    """Events taken together at most."""
    attempts: int = Field(3, ge=1)
    """How often an event is tried when something passing fails, before it becomes a dead letter."""
    window_clips: int = Field(50_000, ge=1)
    """Clips that are remembered, as a few hashes each, so that a repeat changes no figure and a person's last word
    replaces the former one; of more, the oldest is forgotten. An hour of 14 clips a second."""
    window_s: float = Field(86_400.0, gt=0)
    """Seconds that windows are kept, and that a clip is remembered at most: a day, in which nearly all corrections
    come. What happened before is too late."""
    tumbling_s: float = Field(300.0, gt=0)
    """Seconds of one window of the plots and counts: what happened in it, by the events' own time."""
    keep_s: float = Field(10.0, gt=0)
    """Seconds between two keepings of what the monitor knows: what a killed one leaves to be read again."""
    answer_s: float = Field(5.0, gt=0)
    """Seconds that another monitor has to answer when this one claims to count; then it is taken for dead. Longer than
    a busy machine stands still."""
    automation: Automation = "suggest"
    """How much is done about drift without asking. `observe` notes what could be done, `suggest` proposes it to people,
    who take it up (`lipsol drift take`), `act` asks the pipelines to train and ends a canary by itself. The default
    does nothing that nobody looked at."""
    false_pages_a_month: float = Field(1.0, gt=0)
    """Findings of drift a month that may be nothing but chance, of each group of readings: fewer make it slower."""
    clips_a_day: float = Field(5000.0, gt=0)
    """Clips that are expected a day, over which those are shared out."""
    begin_after: int = Field(2, ge=1)
    """Looks in a row, one every 25 clips, that must find the same kind of drift before it is told."""
    over_after: int = Field(8, ge=1)
    """Looks in a row that must find nothing before it is told as over: a whole window."""
    cool_down_s: float = Field(21_600.0, ge=0)
    """Seconds before the same kind of drift of the same group is told again: a quarter of a day, so that a finding that
    comes and goes is a few lines and not a hundred."""

    reports: ReportSettings = ReportSettings()

    @property
    def sensitivity(self) -> Sensitivity:
        """How sure a look must be, and how often it must say the same."""
        return Sensitivity(
            self.false_pages_a_month, self.clips_a_day, self.begin_after, self.over_after, self.cool_down_s
        )

    @field_validator("alertmanager")
    @classmethod
    def _leads_somewhere(cls, address: str) -> str:
        place = urlsplit(address)
        if address and (place.scheme not in ("http", "https") or not place.hostname or place.query or place.username):
            raise ValueError(f"{address!r} is no address of an Alertmanager: write http://HOST:PORT, or leave it empty")
        return address
