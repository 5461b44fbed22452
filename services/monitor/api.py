"""The monitor's HTTP door: health, the figures of its window, and the board. Its metrics stand on the metrics port."""

from collections.abc import Callable, Sequence

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from lipsol.text.rates import Rate
from services.doors.web import new_app
from services.monitor.board import Board, add_board
from services.monitor.group import Group
from services.monitor.reports.doors import add_reports
from services.monitor.reports.maker import Maker
from services.monitor.tally import BOUNDS, Summary, Tally
from services.monitor.windows import Counts


class ModelReadings(BaseModel):
    """Readings of one model by one deployment."""

    model_config = ConfigDict(frozen=True)

    track: str
    model: str
    readings: int
    abstained: int = Field(description="Those in which the reader was not sure")


class Rated(BaseModel):
    """An error rate over what people told last of each clip, with its 95 % interval; null: nobody gave words."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    low: float | None
    high: float | None
    clips: int = Field(description="Clips whose right words are known")

    @classmethod
    def of(cls, rate: Rate) -> "Rated":
        """A rate as the door tells it."""
        low, high = rate.interval() or (None, None)
        return cls(value=rate.value, low=low, high=high, clips=rate.clips)


class Measured(BaseModel):
    """One measure over the windows; the quantiles are as exact as the bins of its histogram."""

    model_config = ConfigDict(frozen=True)

    clips: int
    mean: float | None
    p10: float | None
    p50: float | None
    p90: float | None

    @classmethod
    def of(cls, name: str, summary: Summary) -> "Measured":
        """A measure of the catalogue as the door tells it."""
        low, middle, high = (summary.quantile(share, BOUNDS[name]) for share in (0.1, 0.5, 0.9))
        return cls(clips=summary.count, mean=summary.mean, p10=low, p50=middle, p90=high)


class GroupFigures(BaseModel):
    """One group's windows together."""

    model_config = ConfigDict(frozen=True)

    track: str
    model: str
    digest: str
    language: str
    shadow: bool
    counts: dict[str, int] = Field(
        description="readings, abstained, empty, redone, gave_up, feedback, corrections, right, wrong, and of shadow "
        "copies compared and disagreed"
    )
    word_error: Rated
    character_error: Rated
    calibration_error: float | None = Field(
        description="How far confidence is from how often readings were right, over those that were judged; null: none"
    )
    measures: dict[str, Measured] = Field(description="By name in the catalogue of metrics")
    codecs: dict[str, int]

    @classmethod
    def of(cls, group: Group, tally: Tally) -> "GroupFigures":
        """A group as the door tells it."""
        return cls(
            track=group.track,
            model=group.model,
            digest=group.digest,
            language=group.language,
            shadow=group.shadow,
            counts=dict(+tally.counts),
            word_error=Rated.of(tally.words),
            character_error=Rated.of(tally.characters),
            calibration_error=tally.calibration_error,
            measures={name: Measured.of(name, summary) for name, summary in sorted(tally.measures.items())},
            codecs=dict(tally.codecs),
        )


class WindowFigures(BaseModel):
    """What is in the windows of the last day, by the events' own time: each thing counted once, however often it was
    told and whoever was restarted meanwhile."""

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
    late: dict[str, int] = Field(
        description="Events that came after their window had passed (late: counted there; too-late: counted nowhere "
        "else), or that lay in the future (ahead: counted when they came)"
    )
    by_group: list[GroupFigures] = Field(description="By whose readings; shadow copies are groups of their own")

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
            feedback=counts.total("feedback"),
            corrections=counts.total("corrections"),
            right=counts.total("right"),
            wrong=counts.total("wrong"),
            refused=dict(counts.refused),
            dead_letters=dict(counts.dead_letters),
            shadow_dead_letters=dict(counts.shadow_dead_letters),
            late=dict(counts.late),
            by_group=[GroupFigures.of(group, tally) for group, tally in sorted(counts.groups.items()) if group.model],
        )


def create_app(
    faults: Callable[[], Sequence[str]], counts: Callable[[], Counts], board: Board, maker: Maker
) -> FastAPI:
    """The app; `faults` says why the service is not ready, `counts` what is in the window, `maker` makes the reports,
    `board` shows all else."""
    app = new_app("LipSol monitor", "Watches what is read, and how well.", faults)

    @app.get("/v1/figures", tags=["figures"])
    def figures() -> WindowFigures:
        """What the monitor's windows hold."""
        return WindowFigures.of(counts())

    add_reports(app, maker)
    add_board(app, board, faults)
    return app
