"""`lipsol topics create` against a real broker."""

from uuid import uuid4

from lipsol.bus.kafka import create_topics
from lipsol.runtime.settings import BusSettings, Settings
from lipsol.topics import CLIPS, TOPICS, Topic
from services.cli.topics import create
from tests.conftest import link_to


def test_the_catalogue_is_made_once_and_what_differs_is_told(kafka, capsys):
    bus = BusSettings(kind="kafka", servers=kafka, prefix=f"{uuid4().hex[:8]}.")
    other = Topic(CLIPS.name, CLIPS.key, 2, CLIPS.retention_s / 2, CLIPS.writers, CLIPS.readers)
    create_topics(link_to(kafka, prefix=bus.prefix), topics=[other])
    assert create(1, as_json=False, settings=Settings(bus=bus)) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[0] == f"made: {', '.join(name for name in TOPICS if name != CLIPS.name)}"
    assert told.out.splitlines()[1:] == ["there already: none", f"different: {CLIPS.name}"]
    assert "2 partitions, not 12" in told.err
    assert "retention.ms=86400000" in told.err
    assert create(1, as_json=False, settings=Settings(bus=bus)) == 1
    assert capsys.readouterr().out.splitlines()[0] == "made: none"
