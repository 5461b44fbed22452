"""Faults as HTTP problems."""

import pytest

from lipsol.errors import BadInput, Busy, LipsolError, ModelError, NotFound, Transient
from services.doors.problems import SLUGS, TITLES, Problem, Refused


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (NotFound("x"), 404),
        (BadInput("x"), 422),
        (Busy("x"), 429),
        (Transient("x"), 503),
        (ModelError("x"), 500),
        (LipsolError("x"), 500),
        (Refused(413, "x", "y"), 413),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_fault_has_its_status_and_keeps_its_words(fault, status):
    problem = Problem.of(fault)
    assert (problem.status, problem.detail, problem.cure) == (status, fault.detail, fault.cure)
    assert problem.type == f"urn:lipsol:problem:{SLUGS[status]}"
    assert problem.title == TITLES[status]


@pytest.mark.parametrize(("status", "like"), [(418, 400), (502, 500)])
def test_a_status_without_words_of_its_own_borrows_its_familys(status, like):
    problem = Problem.of_status(status, "x")
    assert (problem.status, problem.title) == (status, TITLES[like])
