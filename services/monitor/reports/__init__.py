"""Reports by Evidently: what came in and what was read, against the reference, as pages for people.

Numbers alone: no text, no id, no picture. Evidently is heavy, so a process of its own, bounded in memory and time,
makes each report; the monitor knows its name and no more.
"""
