"""The environment's settings as the command line takes them: a guest on the terminal keeps its voice down."""

from typing import TypeVar

from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import Settings, load

S = TypeVar("S", bound=Settings)


def quiet(kind: type[S]) -> S:
    """Settings of `kind`, with logging set up by them: from warnings on, unless LIPSOL_TELEMETRY__LOG_LEVEL says other.

    Raises BadInput naming every variable at fault.
    """
    settings = load(kind)
    if "log_level" not in settings.telemetry.model_fields_set:
        telemetry = settings.telemetry.model_copy(update={"log_level": "warning"})
        settings = settings.model_copy(update={"telemetry": telemetry})
    set_up_logging(settings.telemetry)
    return settings
