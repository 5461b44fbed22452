"""The monitor's HTTP door: health, and the figures of its window. Its metrics stand on the metrics port."""

from collections.abc import Callable, Sequence

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from services.doors.web import new_app
from services.monitor.window import Counts


class ModelReadings(BaseModel):
    """Readings of one model by one deployment."""

    model_config = ConfigDict(frozen=True)

    track: str
    model: str
    readings: int
    abstained: int = Field(description="Those in which the reader was not sure")


class WindowFigures(BaseModel):
    """What is in the window, each thing counted once, however often it was told and whoever was restarted meanwhile."""

    model_config = ConfigDict(frozen=True)

    clips: int = Field(description="Clips that are remembered")
    readings: int = Field(description="Clips that were read")
    by_model: list[ModelReadings]
    shadow: dict[str, int] = Field(description="Readings of shadow copies, by model; in none of the other figures")
    feedback: int = Field(description="Times that people told what they think of a reading")
    corrections: int = Field(description="Those in which they gave other words")
    right: int = Field(description="Clips that were read right, by what people told last")
    wrong: int = Field(description="Clips that were read wrong, by what people told last")
    refused: dict[str, int] = Field(description="Clips that the edge refused, by kind of reason")
    dead_letters: dict[str, int] = Field(description="Messages that were given up, by kind, without shadow copies")
    shadow_dead_letters: dict[str, int] = Field(description="The same of shadow copies")

    @classmethod
    def of(cls, counts: Counts) -> "WindowFigures":
        """The figures as the door tells them."""
        return cls(
            clips=counts.clips,
            readings=counts.readings.total(),
            by_model=[
                ModelReadings(track=track, model=model, readings=number, abstained=counts.abstained[track, model])
                for (track, model), number in sorted(counts.readings.items())
            ],
            shadow=dict(counts.shadow),
            feedback=counts.feedback,
            corrections=counts.corrections,
            right=counts.right,
            wrong=counts.wrong,
            refused=dict(counts.refused),
            dead_letters=dict(counts.dead_letters),
            shadow_dead_letters=dict(counts.shadow_dead_letters),
        )


def create_app(faults: Callable[[], Sequence[str]], counts: Callable[[], Counts]) -> FastAPI:
    """The app; `faults` says why the service is not ready, `counts` what is in the window."""
    app = new_app("LipSol monitor", "Watches what is read, and how well.", faults)

    @app.get("/v1/figures", tags=["figures"])
    async def figures() -> WindowFigures:
        """What the monitor's window holds."""
        return WindowFigures.of(counts())

    return app
