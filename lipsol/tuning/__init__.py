"""The search for hyperparameters: which there are, the study that is asked and told, and the page that shows it."""

from lipsol.tuning.study import FULL, Budget, Found, Tried, ask, best, check, study_of, tell, try_out

__all__ = ["FULL", "Budget", "Found", "Tried", "ask", "best", "check", "study_of", "tell", "try_out"]
