"""The monitor's own settings: `LIPSOL_MONITOR__...` in the environment."""

from pydantic import Field

from services.doors.service import DoorSettings


class MonitorSettings(DoorSettings):
    """What the monitor is told at start-up."""

    port: int = Field(8082, ge=0, le=65535)
    """Port of its health door; 0 takes any free one."""
    batch: int = Field(64, ge=1, le=1024)
    """Events taken together at most."""
    attempts: int = Field(3, ge=1)
    """How often an event is tried when something passing fails, before it becomes a dead letter."""
    window_clips: int = Field(10_000, ge=1)
    """Clips that are remembered to be joined with what people say of them; of more, the oldest is forgotten."""
    window_s: float = Field(86_400.0, gt=0)
    """Seconds that a clip is remembered: a day, in which nearly all corrections come."""
