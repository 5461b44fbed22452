"""The settings of the embedded platform's door for its operator: `LIPSOL_OPERATING__...` in the environment."""

from pydantic import Field

from services.doors.service import DoorSettings


class OperatingSettings(DoorSettings):
    """Where an operator finds the embedded platform."""

    host: str = "127.0.0.1"
    """Address that the operator's door listens on: this machine alone. Whoever reaches it moves the traffic and reads
    the dead letters, and it asks for no password."""
    port: int = Field(default=9470, ge=0, le=65535)
    """Port of the operator's door, and where `lipsol traffic` and the like look for it; 0 takes any free one."""
