"""A platform for tests of the command line: it "reads" files that hold their own answer."""

import threading
from contextlib import contextmanager

from lipsol.errors import BadInput, ModelError, NotFound
from lipsol.registry.port import ModelInfo
from services.embedded import EmbeddedSettings
from services.preprocess.results import Result

DEFAULT = ModelInfo("grid-sentences", "1", "ab" * 32, "sentences", "en", "grid", True, {})


def clip(folder, name, text, *others, sure=True):
    """A file that the scripted platform reads as `text`, with other readings as alternatives."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("|".join([("sure" if sure else "unsure"), text, *others]), encoding="utf-8")
    return path


def result(text, others=(), sure=True, language="en", grammar="grid", model=DEFAULT):
    """A result as the platform gives it, a word a second."""
    words = text.split()
    return Result.model_validate(
        {
            "clip_id": "c1",
            "state": "read",
            "text": text,
            "confidence": 0.978 if sure else 0.31,
            "abstained": not sure,
            "alternatives": [{"text": other, "confidence": 0.01} for other in others],
            "words": [
                {"text": word, "start_s": n, "end_s": n + 0.5, "confidence": 0.9} for n, word in enumerate(words)
            ],
            "quality": {"brightness": 0.5},
            "faces": 1,
            "language": language,
            "grammar": grammar,
            "model": {"name": model.name, "version": model.version, "digest": model.digest},
            "track": "stable",
            "timings_ms": {"decode": 1.0},
            "received_at": 1.0,
        }
    )


class Shelf:
    """A registry of made-up models; the first of each language is its default."""

    keys = None

    def faults(self):
        return []

    def __init__(self):
        self._infos = [
            DEFAULT,
            ModelInfo("grid-words", "1", "cd" * 32, "words", "en", "", False, {}),
            ModelInfo("urdu-sentences", "1", "ef" * 32, "sentences", "ur", "urdu", True, {}),
        ]

    def models(self):
        return self._infos

    def find(self, name):
        for info in self._infos:
            if name in {info.name, info.digest}:
                return info
        raise NotFound(f"no model {name!r}", f"ask for {', '.join(info.name for info in self._infos)}")

    def default(self, language):
        return next(info for info in self._infos if info.default and info.language == language)

    def path(self, digest):
        raise NotFound(f"no file for {digest}", "this shelf is made up")


class ScriptedPlatform:
    """Reads what `clip` wrote: "broken" is a fault of the platform, other unscripted bytes are no video."""

    def __init__(self):
        self.settings = EmbeddedSettings()
        self.registry = Shelf()
        self.asked = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    @contextmanager
    def opened(self):
        """The seam of `run(options, platform)`."""
        yield self

    def read(self, data, *, model="", grammar="", language=""):
        with self._lock:
            self.asked.append((model, grammar, language))
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            return self._answer(
                data.decode(), language or "en", grammar, self.registry.find(model) if model else DEFAULT
            )
        finally:
            with self._lock:
                self._now -= 1

    def _answer(self, script, language, grammar, model):
        if script == "broken":
            raise ModelError("the bundle is torn", "fetch it again")
        mark, _, rest = script.partition("|")
        if mark not in {"sure", "unsure"}:
            raise BadInput(f"{len(script)} bytes that are no video", "send a video")
        text, *others = rest.split("|")
        return result(text, others, mark == "sure", language, None if grammar == "none" else grammar or "grid", model)
