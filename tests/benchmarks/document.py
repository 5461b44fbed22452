"""`python -m tests.benchmarks.document`: put build/bench.json's figures into docs/serving.md; draw docs/growth.svg.

So no figure in the documents is typed by hand. What was not measured leaves its row out; a figure with a target always
has a row. Figures that stand in a run but in no row are for programs.
"""

import re
import sys
from collections.abc import Mapping, Sequence

from tests.benchmarks.growth import AT_ONCE, SECONDS, STAGES
from tests.benchmarks.kept import Entry, held
from tests.benchmarks.plot import Panel, Points, svg
from tests.benchmarks.way import STAGES as WAY
from tests.conftest import TOP

PAGE, DRAWING = TOP / "docs" / "serving.md", TOP / "docs" / "growth.svg"
PLACE = re.compile(r"(<!-- bench -->\n).*?(<!-- end -->)", flags=re.DOTALL)

WORDS = {  # of figures whose own name does not say it
    "preprocess": "watching a clip (decode, face, mouth, quality), one core",
    "mediapipe_ratio": "watching against MediaPipe's Face Mesh plus crop, CPU time, both for up to four faces",
    "mediapipe_one_face_ratio": "the same where MediaPipe settles for the first face",
    "mediapipe_decoding_ratio": "the same for four faces where each decodes for itself",
    "mouth_centre_off_p95": "mouth centres against a search for faces in every frame, p95",
    "mouth_centre_off_settled_p95": "the same once the mesh has settled on what the search found, p95",
    "face_searches": "searches of the whole picture",
    "clip_alone_p50": "a 3 s clip over REST and Kafka, nothing else to do, p50",
    "clip_alone_p95": "the same, p95",
    "clips_in_time": "clips a second up to which the p95 stays within 2 s",
    "bare_throughput": "clips read by plain calls, all cores",
    "embedded_throughput": "by the platform in one process",
    "embedded_share_of_bare": "the same as a share of plain calls",
    "kafka_throughput": "by three processes over Kafka",
    "kafka_share_of_bare": "the same as a share of plain calls",
    "kafka_added_p50": "what processes and Kafka add to a clip, p50",
    "at_once_exponent": "growth of the time with clips at once, 1 to 64",
    "length_memory_ratio": "memory of the longest recording over that of 30 s",
    **{f"length_{stage}_exponent": f"growth of {stage} with the length, 1 to 600 s" for stage in STAGES},
    "length_all_exponent": "growth of the whole time with the length, 1 to 600 s",
    "bentoml_rate": "64 clients of BentoML's own batching, same network, one process",
    "bentoml_twice_rate": "the same with two processes, a model in each",
    "rest_rate": "64 clients of ours over REST, one process",
    "rest_rate_over_bentoml": "REST's rate over BentoML's, one process each",
    "rest_p99_over_bentoml": "REST's p99 over BentoML's",
    "grpc_rate": "64 clients of ours over gRPC, one process",
    "grpc_rate_over_bentoml": "gRPC's rate over BentoML's, one process each",
    "grpc_p99_over_bentoml": "gRPC's p99 over BentoML's",
    "batched_over_unbatched": "ours batched, times the rate of one clip after the other",
    "recording_10_min_speed": "a recording of ten minutes by `lipsol read`",
    "recording_10_min_memory": "a recording of ten minutes, peak memory less the file's bytes",
    "recording_memory_growth": "peak memory of ten minutes over that of one",
    "recording_10_min_wer": "a recording of ten minutes, WER",
    "recording_1_min_wer": "a recording of one minute, WER",
    "monitor_share_of_core": "the monitor's stream at 100 clips a second, of one core",
    "monitor_growth": "growth of the monitor's memory while clips come",
}
STAGE_WORDS = {
    "send": "client to edge",
    "keep": "wait for a thread, keep the mouth",
    "publish": "mouth to the broker",
    "queue": "wait to be read",
    "tell": "prediction to the broker",
    "settle": "keep the result",
    "answer": "back to the client",
}


def main() -> None:
    """Write both. Ends with what is missing where nothing was measured."""
    entries = held()
    if not entries:
        sys.exit("nothing was measured: run `make bench` first")
    panels = panels_of(_values(entries))
    if panels:
        DRAWING.write_text(svg(panels))
    drawing = f"\n![{'; '.join(panel.title for panel in panels)}]({DRAWING.name})\n" if panels else ""
    PAGE.write_text(placed(PAGE.read_text(), section(entries) + drawing))


def placed(page: str, told: str) -> str:
    """The page with what is told between its marks. Raises ValueError where it has none."""
    if not PLACE.search(page):
        raise ValueError("the page has no `<!-- bench -->` ... `<!-- end -->`: put them where the figures belong")
    return PLACE.sub(lambda marks: f"{marks[1]}{told}{marks[2]}", page)


def section(entries: Sequence[Entry]) -> str:
    """All that the page tells of a run."""
    values = _values(entries)
    machines = dict.fromkeys(re.sub(r", load [\d.]+ at the start", "", str(each["machine"])) for each in entries)
    rows = [
        (WORDS.get(each["name"], each["name"].replace("_", " ")), _number(each), each["bound"])
        for each in entries
        if each["target"] is not None or each["name"] in WORDS
    ]
    tables = [
        f"Measured on {'; '.join(machines)}.\n",
        _table(("figure", "value", "target"), rows),
        _times(
            "stage of watching, one clip of 3 s alone on a thread",
            ("decode", "face", "mouth", "quality", "read"),
            "",
            values,
        ),
        _times("stage of a clip's way, nothing else to do", WAY, "way_", values),
    ]
    return "\n".join(table for table in tables if table)


def panels_of(values: Mapping[str, float]) -> list[Panel]:
    """The drawing's plots, of what was measured."""
    length = {stage: _line(values, f"length_{stage}_", "s", SECONDS) for stage in STAGES}
    at_once = {"all are answered": _line(values, "at_once_", "", AT_ONCE)}
    panels = [
        Panel("Work by length of the recording", "seconds of video", "seconds of work", length),
        Panel("Time by clips sent at once", "clips of 3 s at once", "seconds", at_once),
    ]
    return [panel for panel in panels if all(panel.lines.values())]


def _line(values: Mapping[str, float], before: str, after: str, sizes: Sequence[int]) -> Points:
    names = {size: f"{before}{size}{after}" for size in sizes}
    return [(float(size), values[name] / 1e3) for size, name in names.items() if values.get(name, 0) > 0]


def _times(title: str, stages: Sequence[str], before: str, values: Mapping[str, float]) -> str:
    """A table of stages, p50 and p95."""
    rows = [
        (STAGE_WORDS.get(stage, stage), *(f"{values[f'{before}{stage}_p{at}']:.1f} ms" for at in (50, 95)))
        for stage in stages
        if f"{before}{stage}_p50" in values
    ]
    return _table((title, "p50", "p95"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; "" without rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("|  |", "| |")


def _number(entry: Entry) -> str:
    missed = " (missed)" if entry["met"] is False else ""
    return f"{entry['value']:g} {entry['unit']}".strip() + missed


def _values(entries: Sequence[Entry]) -> dict[str, float]:
    return {each["name"]: each["value"] for each in entries}


if __name__ == "__main__":
    main()
