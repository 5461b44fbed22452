"""What an operator sends through the door may be as long as an event: a mended one carries its mouth."""

from dataclasses import replace

from lipsol.bus.memory import MemoryBus
from lipsol.events import Claim, to_bytes
from lipsol.store.claims import INLINE_MAX_BYTES
from lipsol.store.local import LocalStore
from lipsol.topics import STABLE_MOUTHS
from services.doors.service import DoorSettings
from services.operating.documents import pretty, to_document
from services.operating.door import create_app
from services.operating.letters import Wanted
from services.operating.operations import Operations
from services.operating.remote import Remote
from tests.services_made import letter_of, ready_of, served_app


def test_a_mended_event_with_its_mouth_goes_through_the_door(tmp_path):
    bus = MemoryBus()
    clip_id, mouth = "ab" * 16, bytes(INLINE_MAX_BYTES)
    event = ready_of(clip_id, model="no-such-model", mouth=Claim(mouth, "", "0" * 64, len(mouth), 0.0))
    letter = replace(letter_of(clip_id), value=to_bytes(event))
    bus.publish(letter.topic, letter.key, to_bytes(letter))
    with served_app(create_app(Operations(bus, LocalStore(tmp_path))), DoorSettings()) as client:
        remote = Remote(client.base_url.port)
        (found,) = remote.letters(Wanted())
        again = remote.replay(found.id, by="ali", mended=pretty({**to_document(event), "model": ""}))
    assert (again.topic, again.fault) == (STABLE_MOUTHS.name, "")
    bus.close()
