"""How sure a look must be, so that a month of quiet traffic pages nobody more often than is asked for."""

from dataclasses import dataclass

BLOCK = 25  # clips between two looks
# Blocks that are looked at together: for what is sudden and strong, for words (a hundred clips hold enough of them, and
# to wait for two hundred of a new kind would be late), for the rest, for what is slow.
WINDOWS = (2, 4, 8, 40)
MONTH_DAYS = 30.0
LOOSEST = 1e-3  # alpha of one comparison, however little traffic there is


@dataclass(frozen=True)
class Sensitivity:
    """What an operator asks of the monitor, of each group (track, model, language).

    false_pages_a_month  findings a month that may be nothing but chance
    clips_a_day          clips that are expected a day
    begin_after          looks in a row that must find the same before it is told
    over_after           looks in a row that must find nothing before it is over
    cool_down_s          seconds before the same kind is told again
    """

    false_pages_a_month: float = 1.0
    clips_a_day: float = 5000.0
    begin_after: int = 2
    over_after: int = 8
    cool_down_s: float = 6 * 3600.0

    def alpha(self, measures: int) -> float:
        """How probable a comparison of quiet traffic may be to differ, when a look makes `measures` of them a window.

        The pages that are allowed, shared out evenly over all comparisons of a month (Bonferroni). Looks overlap and
        must agree, so that there are fewer false pages than that, not more.
        """
        looks = max(1.0, self.clips_a_day * MONTH_DAYS / BLOCK)
        return min(LOOSEST, self.false_pages_a_month / (looks * len(WINDOWS) * max(1, measures)))
