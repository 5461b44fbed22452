"""What reports are made of: a fair sample, each clip once, and nothing that says whose or what."""

from dataclasses import replace

import pytest

from lipsol.errors import NotFound
from lipsol.events import ClipDeleted
from lipsol.store.local import LocalStore
from services.monitor.group import Group
from services.monitor.reports.kept import Report, Reports
from services.monitor.reports.rows import RIGHT, Sample, gather, row_of
from tests.reports_made import GROUP, bus_with, readings
from tests.services_made import feedback_of, prediction_of


def test_every_clip_is_in_the_sample_while_there_is_room():
    sample = Sample(10)
    for number in range(10):
        sample.add(str(number), {"value": float(number)})
    assert sorted(row["value"] for row in sample.rows()) == [float(number) for number in range(10)]


def test_a_sample_is_bounded_and_takes_from_all_of_the_time_alike():
    sample = Sample(200)
    for number in range(10_000):
        sample.add(str(number), {"value": float(number)})
    late = sum(row["value"] >= 5000 for row in sample.rows())
    assert len(sample.rows()) == 200
    assert 60 < late < 140


def test_a_clip_that_is_told_twice_is_sampled_once():
    made = readings(5)
    found = gather(bus_with(*made, *made), 0.0, most=100)
    assert len(found[GROUP].sample) == 5


def test_groups_are_kept_apart_by_track_model_language_and_shadow():
    plain = prediction_of("a")
    others = [replace(plain, track="canary"), replace(plain, shadow=True), replace(plain, language="ur")]
    found = gather(bus_with(plain, *others, prediction_of("b", name="grid-words")), 0.0, most=100)
    assert len(found) == 5


def test_what_a_person_told_last_is_what_counts():
    clips = [prediction_of(name) for name in ("right", "corrected", "changed", "taken back", "silent")]
    told = [
        feedback_of("right", verdict="right"),
        feedback_of("corrected", text="bin red at f two now"),
        feedback_of("changed", verdict="wrong"),
        feedback_of("changed", verdict="right"),
        feedback_of("taken back", verdict="wrong"),
        ClipDeleted("taken back"),
        replace(feedback_of("silent"), gave_up=True),
    ]
    rows = gather(bus_with(*clips, *told), 0.0, most=100)[GROUP]
    assert sorted(row[RIGHT] for row in rows.judged) == ["no", "yes", "yes"]
    assert len(rows.sample) == 5


def test_a_row_holds_numbers_and_three_kinds_and_no_words():
    row = row_of(replace(prediction_of("clip"), codec="h264", entropy=0.5, faces=2))
    kinds = {name: value for name, value in row.items() if isinstance(value, str)}
    assert kinds == {"codec": "h264", "abstained": "no", "redo": "no"}
    assert row["faces"] == 2.0
    assert row["entropy"] == 0.5


def test_reports_are_listed_newest_first_and_unknown_ones_are_told(tmp_path):
    reports = Reports(LocalStore(tmp_path), kept_s=60.0)
    group = Group("canary", "grid/../sentences", "ab" * 32, "en", shadow=True)
    whose = (group.track, group.model, group.digest, group.language, group.shadow)
    for made_at in (1_795_251_700.0, 1_795_338_100.0):
        kept = reports.keep(Report("", "data-drift", made_at, *whose, 10, 5, {"yaw_deg": "ks"}, [], "bundle"), b"<p>")
    assert [each.made_at for each in reports.all()] == [1_795_338_100.0, 1_795_251_700.0]
    assert reports.page(kept.name) == b"<p>"
    assert "/" not in kept.name
    for unknown in ("nothing", "../clips", ""):
        with pytest.raises(NotFound, match="no report"):
            reports.page(unknown)


class Asked(LocalStore):
    """A store that counts what it is asked for."""

    asked = 0

    def get(self, key, max_bytes=None):
        self.asked += 1
        return super().get(key, max_bytes)


def test_a_report_that_was_listed_is_read_from_the_store_no_more_and_is_gone_with_its_time(tmp_path):
    store = Asked(tmp_path)
    reports = Reports(store, kept_s=60.0)
    whose = (GROUP.track, GROUP.model, GROUP.digest, GROUP.language, GROUP.shadow)
    made = [
        reports.keep(Report("", "data-drift", 1_795_251_700.0 + n, *whose, 1, 1, {}, [], "bundle"), b"") for n in (0, 1)
    ]
    assert reports.all() == reports.all() == made[::-1]
    assert store.asked == 2
    store.delete_prefix(f"reports/{made[0].name}/")
    assert reports.all() == made[1:]
    assert store.asked == 2
