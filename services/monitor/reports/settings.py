"""The reports' own settings: `LIPSOL_MONITOR__REPORTS__...` in the environment."""

from pydantic import Field

from lipsol.runtime.settings import Section


class ReportSettings(Section):
    """When reports are made, of how much, and what that may cost."""

    every_s: float = Field(86_400.0, ge=0)
    """Seconds from one round of reports to the next: a day. 0: only when somebody asks for one."""
    window_s: float = Field(86_400.0, gt=0)
    """Seconds back that a report looks; what lies on the bus no longer is not in it."""
    clips: int = Field(10_000, ge=100, le=100_000)
    """Clips of one group that a report holds at most. Of more, a fair sample: enough for any figure in it."""
    kept_s: float = Field(30 * 86_400.0, gt=0)
    """Seconds that a report is kept in the store: as long as people argue about a month."""
    memory_mib: int = Field(1024, ge=512)
    """MiB that the process that makes a report may take. One that needs more fails, and the monitor lives on."""
    limit_s: float = Field(300.0, gt=0)
    """Seconds that one report may take."""
