"""The edge's HTTP door: clips in, readings out, and the page. Every operation is a thin cover over the handler."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.responses import HTMLResponse

from lipsol.errors import BadInput
from services.doors.pages import add_pages
from services.doors.problems import responses
from services.doors.web import new_app
from services.preprocess import reference
from services.preprocess.asking import asked_of
from services.preprocess.contract import BEGUN, FORM, SRT, VTT, Feedback, FeedbackTaken, Lessons, Models
from services.preprocess.handler import Handler, known_id
from services.preprocess.receiving import Receiving, Sent
from services.preprocess.repeats import checked_key
from services.preprocess.results import Lips, Result
from services.preprocess.uploads import Held, Uploads

WEB = Path(__file__).parent / "web"
ABOUT = "Reads lips: a video of a person speaking goes in, the words come out, with how sure it is."

WAIT = Query(description="Answer with the reading instead of at once; after a bound (30 s) as if it had not been asked")
KEY = Header(description="Name of this request: a repeat with the same key and body gets the first one's clip")
TIMEOUT = Header(description="Seconds after which the clip is not worth reading any more: work past them is dropped")


def create_app(handler: Handler, receiving: Receiving, held: Held, faults: Callable[[], Sequence[str]]) -> FastAPI:
    """The app over a handler; `faults` says why the platform is not ready."""
    app = new_app("LipSol", ABOUT, faults, uploads=("/v1/clips",))
    _add_receiving(app, receiving, Uploads(held))
    _add_clips(app, handler)
    _add_captions(app, handler)
    _add_reference(app, handler)
    add_pages(app, WEB)
    return app


def _add_receiving(app: FastAPI, receiving: Receiving, uploads: Uploads) -> None:
    body = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}}

    @app.post(
        "/v1/clips",
        tags=["clips"],
        response_model=Result,
        responses={202: BEGUN, **responses(400, 404, 408, 413, 415, 422, 429, 500, 503, 504)},
        openapi_extra=body,
    )
    async def send_clip(
        request: Request,
        wait: Annotated[bool, WAIT] = False,
        idempotency_key: Annotated[str | None, KEY] = None,
        request_timeout: Annotated[float | None, TIMEOUT] = None,
    ) -> Response:
        """Send a clip to be read. One that can't be read is refused at once, with the reason and the cure."""
        key = checked_key(idempotency_key) if idempotency_key is not None else None
        deadline_at = receiving.deadline(request_timeout)
        with receiving.counting_busy():
            receiving.check(deadline_at)
            async with uploads.receive(request) as upload:
                asked = asked_of(upload.fields)
                taken = await receiving.take(Sent(upload.data, asked, key, deadline_at, wait))
        result = await receiving.settled(taken) if wait else taken.result
        done = wait and result.state == "read"
        headers = {} if done else {"Location": f"/v1/clips/{result.clip_id}"}
        return _json(result, 200 if done else 202, headers)


def _add_clips(app: FastAPI, handler: Handler) -> None:
    @app.get("/v1/clips/{clip_id}", tags=["clips"], response_model=Result, responses=responses(404))
    def get_clip(clip_id: str) -> Response:
        """The clip's result as it stands: being read, read, or failed with the reason."""
        return _json(handler.result(known_id(clip_id)))

    @app.delete("/v1/clips/{clip_id}", tags=["clips"], status_code=204, responses=responses(404))
    def delete_clip(clip_id: str) -> None:
        """Forget the clip, its reading and all that belongs to it; what may still arrive is dropped."""
        handler.delete(known_id(clip_id))

    @app.get("/v1/clips/{clip_id}/lips", tags=["clips"], response_model=Lips, responses=responses(404))
    def get_lips(clip_id: str) -> Response:
        """The lips as the machine saw them, frame by frame, for drawing over the clip."""
        return _json(handler.lips(known_id(clip_id)))

    @app.post("/v1/clips/{clip_id}/feedback", tags=["clips"], status_code=202, responses=responses(400, 404, 413, 422))
    def give_feedback(clip_id: str, feedback: Feedback) -> FeedbackTaken:
        """Say what was really said, whether the reading was right, or that it was no help and you typed instead: that
        is how LipSol learns how good it is.
        """
        given = (
            handler.gave_up(known_id(clip_id))
            if feedback.gave_up
            else handler.feedback(known_id(clip_id), feedback.text, feedback.verdict, feedback.consent)
        )
        return FeedbackTaken(
            clip_id=clip_id,
            text=given.text,
            verdict=given.verdict,
            gave_up=given.gave_up,
            kept=bool(given.consent),
        )

    @app.get("/v1/clips/{clip_id}/feedback", tags=["clips"], responses=responses(404))
    def get_feedback(clip_id: str) -> Lessons:
        """What is kept of the clip to teach LipSol, by somebody's consent."""
        return Lessons.of(clip_id, handler.corrections(known_id(clip_id)))

    @app.delete("/v1/clips/{clip_id}/feedback", tags=["clips"], status_code=204, responses=responses(404))
    def withdraw_feedback(clip_id: str) -> None:
        """Take the consent back: what the clip was to teach is removed, and no later data set has it."""
        handler.withdraw(known_id(clip_id))


def _add_captions(app: FastAPI, handler: Handler) -> None:
    @app.get(
        "/v1/clips/{clip_id}/captions.srt",
        tags=["captions"],
        response_class=Response,
        responses={**SRT, **responses(404, 422)},
    )
    def get_srt(clip_id: str) -> Response:
        """The words as SubRip captions, marked where the reader is not sure."""
        return Response(_captions(handler, clip_id, "srt"), media_type="application/x-subrip; charset=utf-8")

    @app.get(
        "/v1/clips/{clip_id}/captions.vtt",
        tags=["captions"],
        response_class=Response,
        responses={**VTT, **responses(404, 422)},
    )
    def get_vtt(clip_id: str) -> Response:
        """The words as WebVTT captions, marked where the reader is not sure."""
        return Response(_captions(handler, clip_id, "vtt"), media_type="text/vtt; charset=utf-8")


def _add_reference(app: FastAPI, handler: Handler) -> None:
    @app.get("/v1/models", tags=["models"])
    def list_models() -> Models:
        """The models that clips can be read with, and what each says of itself."""
        return Models.of(handler.registry.models())

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(reference.render(app.openapi()), headers={"content-security-policy": reference.POLICY})


def _json(body: Result | Lips, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body.model_dump_json(), status, headers, "application/json")


def _captions(handler: Handler, clip_id: str, form: str) -> str:
    """A clip's words as captions. Raises BadInput before it is read."""
    result = handler.result(known_id(clip_id))
    if result.state != "read":
        raise BadInput(f"the clip is {result.state}: it has no captions", "wait until it is read")
    return result.captions(form)
