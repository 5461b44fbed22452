"""Several processes on one screen."""

import io
import threading

from services.local.screen import Screen, growing


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_each_line_stands_after_its_speakers_name():
    stream = io.StringIO()
    screen = Screen(stream)
    screen.follow("monitor", [b"one\n", b"two \xff\n"]).join(10)
    screen.say("up", "three")
    assert stream.getvalue() == "monitor    | one\nmonitor    | two \ufffd\nup         | three\n"


def test_on_a_terminal_each_speaker_has_a_colour_of_its_own():
    stream = Terminal()
    screen = Screen(stream)
    for name in ("a", "b", "a"):
        screen.say(name, "x")
    first, second, third = stream.getvalue().splitlines()
    assert first == third == "\033[36ma          | \033[0mx"
    assert second.startswith("\033[33mb")


def test_of_a_file_that_grows_only_what_is_new_is_read_and_all_of_it(tmp_path):
    log, ended = tmp_path / "kafka.log", threading.Event()
    log.write_bytes(b"old\n")
    lines = iter(growing(log, ended.is_set))
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.extend(lines))
    reader.start()
    while not heard:  # the reader may not have opened it yet: what came before is old to it
        with log.open("ab") as more:
            more.write(b"new\n")
    with log.open("ab") as more:
        more.write(b"last\n")
    ended.set()
    reader.join(30)
    assert heard[-1] == b"last\n"
    assert set(heard) == {b"new\n", b"last\n"}
