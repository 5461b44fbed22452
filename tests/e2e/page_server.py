"""A hand-written edge for the page's tests: the contract's answers, canned, for states that are hard to provoke.

What to answer is chosen by the name of the file that is sent (`sure.mp4`, `unsure.mp4`, `urdu.mp4`, ...), so that
a test tells its story in one place. It serves the page as the real edge does, under the strictest policy.
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Form, Request, Response, UploadFile
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from tests.e2e.lips_drawn import mouth_of_frame

WEB = Path(__file__).parents[2] / "services" / "preprocess" / "web"
POLICY = (
    "default-src 'self'; media-src 'self' blob:; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
MODEL = {"name": "grid-sentences", "version": "1.0", "digest": "ab" * 32}
DRAWN = MODEL | {"name": "urdu-synthetic-sentences", "digest": "d4" * 32}


def canned(
    clip_id: str, language: str, text: str, sureness: list[float], others: list[str], **more: Any
) -> dict[str, Any]:
    """A result whose words follow each other from 0.5 s, a third of a second each."""
    words = [
        {"text": word, "start_s": 0.5 + n / 3, "end_s": 0.5 + (n + 1) / 3, "confidence": sure}
        for n, (word, sure) in enumerate(zip(text.split(), sureness, strict=True))
    ]
    told: dict[str, Any] = {
        "clip_id": clip_id,
        "state": "read",
        "text": text,
        "confidence": 0.9412,
        "alternatives": [{"text": other, "confidence": 0.03 / (n + 1)} for n, other in enumerate(others)],
        "words": words,
        "quality": {"seconds": 3.0, "face_found": 1.0, "brightness": 117.2, "mouth_px": 40.6, "yaw_deg": -3.2},
        "faces": 1,
        "abstained": False,
        "track": "stable",
        "problem": None,
        "language": language,
        "grammar": "grid" if language == "en" else "urdu",
        "none": None,
        "sentences": [],
        "watched_s": None,
        "model": MODEL if language == "en" else DRAWN,
        "timings_ms": {"total": 214.0},
        "received_at": 1_795_251_600.0,
    }
    for other, look in zip(told["alternatives"], more.pop("looks", ()), strict=False):
        other["look"] = look
    return told | more


RESULTS = {
    "sure": canned(
        "sure", "en", "bin green by b three again", [0.99, 0.98, 0.95, 0.52, 0.97, 0.81],
        ["bin green by p three again", "bin green by d three again", "bin green by b three soon"],
    ),
    "unsure": canned(
        "unsure", "en", "lay red in v eight please", [0.9, 0.6, 0.5, 0.2, 0.4, 0.9],
        ["lay red in b eight please", "set red in v eight please", "lay red at v eight please"],
        abstained=True, confidence=0.31,
    ),
    "board": canned(
        "board", "en", "lay red in b now", [0.9, 0.6, 0.5, 0.2, 0.4],
        ["lay red in p now", "set red in d now", "lay red at b now", "set red in t now", "place blue at z now"],
        abstained=True, confidence=0.18, none=0.62, looks=[1, 2, 1, 2, 3],
    ),
    "urdu": canned(
        "urdu", "ur", "آپ کیسے ہیں جی کیوں دو", [0.99, 0.98, 0.95, 0.52, 0.97, 0.81],
        ["آپ کیسے ہے جی کیوں دو", "آپ کیسے تھا جی کیوں دو", "وہ کیسے ہیں جی کیوں دو"],
    ),
    "crowd": canned("crowd", "en", "set white", [0.97, 0.95], ["set wide"], faces=3),
    "markup": canned("markup", "en", "<b>bold</b> words", [0.97, 0.95], ["<img src=x onerror=alert(1)>"]),
    "slow": canned("slow", "en", "lay blue", [0.97, 0.95], ["lay green"]),
}  # fmt: skip

PROBLEMS = {
    "faceless": (422, "No face", "no face for 2.1 of 3.0 s", "face the camera, and light your face from the front"),
    "busy": (429, "Busy", "16 clips wait already", "try again in 2 s"),
}
GIVEN_UP = {"status": 500, "title": "Model error", "detail": "the model gave no words", "cure": "try another model"}


@dataclass
class Fake:
    """The server's address, and what the page asked of it."""

    url: str = ""
    clips: list[dict[str, Any]] = field(default_factory=list)
    feedback: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    polls: int = 0
    leaving: threading.Event = field(default_factory=threading.Event)  # `stuck` is answered then
    healthy: bool = True  # False: `busy` is turned away


def app_of(fake: Fake) -> FastAPI:
    """The doors that the page uses."""
    app = FastAPI(docs_url=None)

    @app.middleware("http")
    async def guard(request: Request, follow: Any) -> Response:
        fake.asked.append(f"{request.method} {request.url.path}")
        answer = await follow(request)
        answer.headers["Content-Security-Policy"] = POLICY
        return answer

    _add_reading(app, fake)
    _add_keeping(app, fake)

    @app.get("/v1/models")
    async def models() -> Response:
        usual = {
            **MODEL, "kind": "sentences", "language": "en", "grammar": "grid", "default": True, "synthetic": False,
            "card": {},
        }  # fmt: skip
        words = usual | {"name": "grid-words", "kind": "words", "default": False, "digest": "c3" * 32}
        urdu = usual | DRAWN | {"language": "ur", "grammar": "urdu", "synthetic": True}
        return JSONResponse({"models": [usual, words, urdu]})

    @app.get("/")
    async def index() -> FileResponse:
        return FileResponse(WEB / "index.html")

    app.mount("/assets", StaticFiles(directory=WEB))
    return app


def _add_reading(app: FastAPI, fake: Fake) -> None:
    @app.post("/v1/clips")
    async def take(
        request: Request,
        file: UploadFile,
        model: str = Form(""),
        grammar: str = Form(""),
        language: str = Form(""),
        phrases: str = Form(""),
        hotwords: str = Form(""),
        session: str = Form(""),
    ) -> Response:
        name = Path(file.filename or "").stem
        sent = {"name": file.filename, "type": file.content_type, "bytes": await file.read()}
        key = request.headers["Idempotency-Key"]
        fake.clips.append(
            sent
            | {
                "model": model,
                "grammar": grammar,
                "language": language,
                "key": key,
                "phrases": phrases,
                "hotwords": hotwords,
                "session": session,
            }
        )
        if name in PROBLEMS and not (name == "busy" and fake.healthy):
            return refusal(*PROBLEMS[name])
        if name == "stuck":
            await asyncio.to_thread(fake.leaving.wait, 60)
        return answer_of(fake, "sure" if name not in {*RESULTS, "given-up"} else name)

    @app.get("/v1/clips/{clip_id}")
    async def ask(clip_id: str) -> Response:
        fake.polls += 1
        return answer_of(fake, clip_id)

    @app.get("/v1/clips/{clip_id}/lips")
    async def lips(clip_id: str) -> Response:
        frames = range(75)
        return JSONResponse(
            {"fps": 25, "seen": [n % 25 < 20 for n in frames], "points": [mouth_of_frame(n) for n in frames]}
        )


def _add_keeping(app: FastAPI, fake: Fake) -> None:
    @app.get("/v1/clips/{clip_id}/captions.{form}")
    async def captions(clip_id: str, form: str) -> Response:
        return Response("WEBVTT\n\n00:00.500 --> 00:01.000\nbin\n", media_type="text/vtt")

    @app.post("/v1/clips/{clip_id}/feedback")
    async def feedback(clip_id: str, request: Request) -> Response:
        told = json.loads(await request.body())
        fake.feedback.append((clip_id, told))
        kept = bool(told.get("consent")) and told.get("verdict") != "wrong"
        return JSONResponse({"clip_id": clip_id, "text": None, "verdict": None, "kept": kept}, status_code=202)

    @app.delete("/v1/clips/{clip_id}/feedback")
    async def withdraw(clip_id: str) -> Response:
        fake.withdrawn.append(clip_id)
        return Response(status_code=204)

    @app.delete("/v1/clips/{clip_id}")
    async def delete(clip_id: str) -> Response:
        fake.deleted.append(clip_id)
        return Response(status_code=204)


def answer_of(fake: Fake, clip_id: str) -> Response:
    """The canned result of a clip; `slow` is still being read when it is first asked for."""
    if clip_id == "given-up":
        waiting = RESULTS["sure"] | {"clip_id": clip_id, "state": "failed"}
        return JSONResponse(waiting | {"problem": GIVEN_UP})
    if clip_id == "slow" and fake.polls < 2:
        return JSONResponse({"clip_id": "slow", "state": "reading"}, status_code=202)
    return JSONResponse(RESULTS[clip_id])


def refusal(status: int, title: str, detail: str, cure: str) -> Response:
    """A problem by RFC 9457."""
    told = {"type": "about:blank", "title": title, "status": status, "detail": detail, "cure": cure}
    return JSONResponse(told, status_code=status, media_type="application/problem+json")


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    """The fake edge on a free port of this machine."""
    server = uvicorn.Server(
        uvicorn.Config(app_of(fake), host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    fake.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield fake
    finally:
        fake.leaving.set()
        server.should_exit = server.force_exit = True
        thread.join()
