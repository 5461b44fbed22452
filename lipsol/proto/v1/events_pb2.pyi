from lipsol.proto.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Track(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRACK_UNSPECIFIED: _ClassVar[Track]
    TRACK_STABLE: _ClassVar[Track]
    TRACK_CANARY: _ClassVar[Track]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_STABLE: _ClassVar[Mode]
    MODE_CANARY: _ClassVar[Mode]
    MODE_SHADOW: _ClassVar[Mode]
    MODE_BLUE_GREEN: _ClassVar[Mode]

class DeathKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEATH_KIND_UNSPECIFIED: _ClassVar[DeathKind]
    DEATH_KIND_BAD_INPUT: _ClassVar[DeathKind]
    DEATH_KIND_MODEL_ERROR: _ClassVar[DeathKind]
    DEATH_KIND_EXHAUSTED: _ClassVar[DeathKind]
    DEATH_KIND_TOO_LATE: _ClassVar[DeathKind]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_RIGHT: _ClassVar[Verdict]
    VERDICT_WRONG: _ClassVar[Verdict]

class DriftKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DRIFT_KIND_UNSPECIFIED: _ClassVar[DriftKind]
    DRIFT_KIND_CAMERA: _ClassVar[DriftKind]
    DRIFT_KIND_SPEAKER: _ClassVar[DriftKind]
    DRIFT_KIND_MIX: _ClassVar[DriftKind]
    DRIFT_KIND_MODEL: _ClassVar[DriftKind]
    DRIFT_KIND_SOFTWARE: _ClassVar[DriftKind]

class Remedy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMEDY_UNSPECIFIED: _ClassVar[Remedy]
    REMEDY_RETRAIN: _ClassVar[Remedy]
    REMEDY_ROLL_BACK: _ClassVar[Remedy]
    REMEDY_TELL_USERS: _ClassVar[Remedy]
    REMEDY_REPAIR: _ClassVar[Remedy]
    REMEDY_NOTHING: _ClassVar[Remedy]

class DriftState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DRIFT_STATE_UNSPECIFIED: _ClassVar[DriftState]
    DRIFT_STATE_BEGUN: _ClassVar[DriftState]
    DRIFT_STATE_OVER: _ClassVar[DriftState]

class Automation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUTOMATION_UNSPECIFIED: _ClassVar[Automation]
    AUTOMATION_OBSERVE: _ClassVar[Automation]
    AUTOMATION_SUGGEST: _ClassVar[Automation]
    AUTOMATION_ACT: _ClassVar[Automation]

class ActionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_KIND_UNSPECIFIED: _ClassVar[ActionKind]
    ACTION_KIND_RETRAIN: _ClassVar[ActionKind]
    ACTION_KIND_ABORT_CANARY: _ClassVar[ActionKind]
    ACTION_KIND_ROLL_BACK: _ClassVar[ActionKind]
    ACTION_KIND_TELL_USERS: _ClassVar[ActionKind]
    ACTION_KIND_REPAIR: _ClassVar[ActionKind]
    ACTION_KIND_ACCEPT: _ClassVar[ActionKind]

class Looked(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOOKED_UNSPECIFIED: _ClassVar[Looked]
    LOOKED_BEGAN: _ClassVar[Looked]
    LOOKED_HOLD: _ClassVar[Looked]
    LOOKED_ADVANCE: _ClassVar[Looked]
    LOOKED_PASS: _ClassVar[Looked]
    LOOKED_ABORT: _ClassVar[Looked]
    LOOKED_STOOD_DOWN: _ClassVar[Looked]
    LOOKED_HANDED_BACK: _ClassVar[Looked]
TRACK_UNSPECIFIED: Track
TRACK_STABLE: Track
TRACK_CANARY: Track
MODE_UNSPECIFIED: Mode
MODE_STABLE: Mode
MODE_CANARY: Mode
MODE_SHADOW: Mode
MODE_BLUE_GREEN: Mode
DEATH_KIND_UNSPECIFIED: DeathKind
DEATH_KIND_BAD_INPUT: DeathKind
DEATH_KIND_MODEL_ERROR: DeathKind
DEATH_KIND_EXHAUSTED: DeathKind
DEATH_KIND_TOO_LATE: DeathKind
VERDICT_UNSPECIFIED: Verdict
VERDICT_RIGHT: Verdict
VERDICT_WRONG: Verdict
DRIFT_KIND_UNSPECIFIED: DriftKind
DRIFT_KIND_CAMERA: DriftKind
DRIFT_KIND_SPEAKER: DriftKind
DRIFT_KIND_MIX: DriftKind
DRIFT_KIND_MODEL: DriftKind
DRIFT_KIND_SOFTWARE: DriftKind
REMEDY_UNSPECIFIED: Remedy
REMEDY_RETRAIN: Remedy
REMEDY_ROLL_BACK: Remedy
REMEDY_TELL_USERS: Remedy
REMEDY_REPAIR: Remedy
REMEDY_NOTHING: Remedy
DRIFT_STATE_UNSPECIFIED: DriftState
DRIFT_STATE_BEGUN: DriftState
DRIFT_STATE_OVER: DriftState
AUTOMATION_UNSPECIFIED: Automation
AUTOMATION_OBSERVE: Automation
AUTOMATION_SUGGEST: Automation
AUTOMATION_ACT: Automation
ACTION_KIND_UNSPECIFIED: ActionKind
ACTION_KIND_RETRAIN: ActionKind
ACTION_KIND_ABORT_CANARY: ActionKind
ACTION_KIND_ROLL_BACK: ActionKind
ACTION_KIND_TELL_USERS: ActionKind
ACTION_KIND_REPAIR: ActionKind
ACTION_KIND_ACCEPT: ActionKind
LOOKED_UNSPECIFIED: Looked
LOOKED_BEGAN: Looked
LOOKED_HOLD: Looked
LOOKED_ADVANCE: Looked
LOOKED_PASS: Looked
LOOKED_ABORT: Looked
LOOKED_STOOD_DOWN: Looked
LOOKED_HANDED_BACK: Looked

class ClipReceived(_message.Message):
    __slots__ = ("clip_id", "session", "batch", "name", "source", "digest", "size_bytes", "model", "grammar", "language", "received_at", "deadline_at")
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    GRAMMAR_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_AT_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    session: str
    batch: str
    name: str
    source: str
    digest: str
    size_bytes: int
    model: str
    grammar: str
    language: str
    received_at: float
    deadline_at: float
    def __init__(self, clip_id: _Optional[str] = ..., session: _Optional[str] = ..., batch: _Optional[str] = ..., name: _Optional[str] = ..., source: _Optional[str] = ..., digest: _Optional[str] = ..., size_bytes: _Optional[int] = ..., model: _Optional[str] = ..., grammar: _Optional[str] = ..., language: _Optional[str] = ..., received_at: _Optional[float] = ..., deadline_at: _Optional[float] = ...) -> None: ...

class Claim(_message.Message):
    __slots__ = ("inline", "ref", "digest", "size_bytes", "expires_at")
    INLINE_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    inline: bytes
    ref: str
    digest: str
    size_bytes: int
    expires_at: float
    def __init__(self, inline: _Optional[bytes] = ..., ref: _Optional[str] = ..., digest: _Optional[str] = ..., size_bytes: _Optional[int] = ..., expires_at: _Optional[float] = ...) -> None: ...

class MouthReady(_message.Message):
    __slots__ = ("clip_id", "session", "track", "shadow", "model", "bundle", "grammar", "language", "mouth", "faces", "quality", "timings_ms", "received_at", "deadline_at", "codec", "redo")
    class QualityEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class TimingsMsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    GRAMMAR_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MOUTH_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_MS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_AT_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    REDO_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    session: str
    track: Track
    shadow: bool
    model: str
    bundle: str
    grammar: str
    language: str
    mouth: Claim
    faces: int
    quality: _containers.ScalarMap[str, float]
    timings_ms: _containers.ScalarMap[str, float]
    received_at: float
    deadline_at: float
    codec: str
    redo: bool
    def __init__(self, clip_id: _Optional[str] = ..., session: _Optional[str] = ..., track: _Optional[_Union[Track, str]] = ..., shadow: _Optional[bool] = ..., model: _Optional[str] = ..., bundle: _Optional[str] = ..., grammar: _Optional[str] = ..., language: _Optional[str] = ..., mouth: _Optional[_Union[Claim, _Mapping]] = ..., faces: _Optional[int] = ..., quality: _Optional[_Mapping[str, float]] = ..., timings_ms: _Optional[_Mapping[str, float]] = ..., received_at: _Optional[float] = ..., deadline_at: _Optional[float] = ..., codec: _Optional[str] = ..., redo: _Optional[bool] = ...) -> None: ...

class AlternativeText(_message.Message):
    __slots__ = ("text", "confidence", "look")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    LOOK_FIELD_NUMBER: _ClassVar[int]
    text: str
    confidence: float
    look: int
    def __init__(self, text: _Optional[str] = ..., confidence: _Optional[float] = ..., look: _Optional[int] = ...) -> None: ...

class TimedWord(_message.Message):
    __slots__ = ("text", "start_s", "end_s", "confidence", "alike")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ALIKE_FIELD_NUMBER: _ClassVar[int]
    text: str
    start_s: float
    end_s: float
    confidence: float
    alike: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, text: _Optional[str] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., confidence: _Optional[float] = ..., alike: _Optional[_Iterable[str]] = ...) -> None: ...

class ModelName(_message.Message):
    __slots__ = ("name", "version", "digest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    digest: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class PredictionMade(_message.Message):
    __slots__ = ("clip_id", "prediction_id", "text", "confidence", "abstained", "alternatives", "words", "language", "grammar", "model", "track", "shadow", "timings_ms", "quality", "made_at", "none", "faces", "codec", "redo", "received_at", "embedding", "entropy", "part")
    class TimingsMsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class QualityEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ABSTAINED_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    GRAMMAR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_MS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_FIELD_NUMBER: _ClassVar[int]
    NONE_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    REDO_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    ENTROPY_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    prediction_id: str
    text: str
    confidence: float
    abstained: bool
    alternatives: _containers.RepeatedCompositeFieldContainer[AlternativeText]
    words: _containers.RepeatedCompositeFieldContainer[TimedWord]
    language: str
    grammar: str
    model: ModelName
    track: Track
    shadow: bool
    timings_ms: _containers.ScalarMap[str, float]
    quality: _containers.ScalarMap[str, float]
    made_at: float
    none: float
    faces: int
    codec: str
    redo: bool
    received_at: float
    embedding: _containers.RepeatedScalarFieldContainer[float]
    entropy: float
    part: int
    def __init__(self, clip_id: _Optional[str] = ..., prediction_id: _Optional[str] = ..., text: _Optional[str] = ..., confidence: _Optional[float] = ..., abstained: _Optional[bool] = ..., alternatives: _Optional[_Iterable[_Union[AlternativeText, _Mapping]]] = ..., words: _Optional[_Iterable[_Union[TimedWord, _Mapping]]] = ..., language: _Optional[str] = ..., grammar: _Optional[str] = ..., model: _Optional[_Union[ModelName, _Mapping]] = ..., track: _Optional[_Union[Track, str]] = ..., shadow: _Optional[bool] = ..., timings_ms: _Optional[_Mapping[str, float]] = ..., quality: _Optional[_Mapping[str, float]] = ..., made_at: _Optional[float] = ..., none: _Optional[float] = ..., faces: _Optional[int] = ..., codec: _Optional[str] = ..., redo: _Optional[bool] = ..., received_at: _Optional[float] = ..., embedding: _Optional[_Iterable[float]] = ..., entropy: _Optional[float] = ..., part: _Optional[int] = ...) -> None: ...

class FeedbackGiven(_message.Message):
    __slots__ = ("clip_id", "feedback_id", "text", "verdict", "reading", "model_digest", "given_at", "consent", "gave_up", "track", "model", "language", "confidence", "abstained", "read_at")
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    GIVEN_AT_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    GAVE_UP_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ABSTAINED_FIELD_NUMBER: _ClassVar[int]
    READ_AT_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    feedback_id: str
    text: str
    verdict: Verdict
    reading: str
    model_digest: str
    given_at: float
    consent: str
    gave_up: bool
    track: Track
    model: str
    language: str
    confidence: float
    abstained: bool
    read_at: float
    def __init__(self, clip_id: _Optional[str] = ..., feedback_id: _Optional[str] = ..., text: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., reading: _Optional[str] = ..., model_digest: _Optional[str] = ..., given_at: _Optional[float] = ..., consent: _Optional[str] = ..., gave_up: _Optional[bool] = ..., track: _Optional[_Union[Track, str]] = ..., model: _Optional[str] = ..., language: _Optional[str] = ..., confidence: _Optional[float] = ..., abstained: _Optional[bool] = ..., read_at: _Optional[float] = ...) -> None: ...

class ClipDeleted(_message.Message):
    __slots__ = ("clip_id",)
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    def __init__(self, clip_id: _Optional[str] = ...) -> None: ...

class ClipRefused(_message.Message):
    __slots__ = ("clip_id", "batch", "reason", "cure", "refused_at")
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CURE_FIELD_NUMBER: _ClassVar[int]
    REFUSED_AT_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    batch: str
    reason: str
    cure: str
    refused_at: float
    def __init__(self, clip_id: _Optional[str] = ..., batch: _Optional[str] = ..., reason: _Optional[str] = ..., cure: _Optional[str] = ..., refused_at: _Optional[float] = ...) -> None: ...

class TrafficSet(_message.Message):
    __slots__ = ("mode", "weight", "canary_digest", "expires_at", "set_by", "reason", "set_at")
    MODE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    CANARY_DIGEST_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    SET_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SET_AT_FIELD_NUMBER: _ClassVar[int]
    mode: Mode
    weight: float
    canary_digest: str
    expires_at: float
    set_by: str
    reason: str
    set_at: float
    def __init__(self, mode: _Optional[_Union[Mode, str]] = ..., weight: _Optional[float] = ..., canary_digest: _Optional[str] = ..., expires_at: _Optional[float] = ..., set_by: _Optional[str] = ..., reason: _Optional[str] = ..., set_at: _Optional[float] = ...) -> None: ...

class DriftDetected(_message.Message):
    __slots__ = ("drift_id", "model_digest", "track", "measure", "method", "value", "threshold", "samples", "window_from", "window_to", "detected_at", "kind", "remedy", "state", "language", "evidence")
    DRIFT_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FROM_FIELD_NUMBER: _ClassVar[int]
    WINDOW_TO_FIELD_NUMBER: _ClassVar[int]
    DETECTED_AT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    drift_id: str
    model_digest: str
    track: Track
    measure: str
    method: str
    value: float
    threshold: float
    samples: int
    window_from: float
    window_to: float
    detected_at: float
    kind: DriftKind
    remedy: Remedy
    state: DriftState
    language: str
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    def __init__(self, drift_id: _Optional[str] = ..., model_digest: _Optional[str] = ..., track: _Optional[_Union[Track, str]] = ..., measure: _Optional[str] = ..., method: _Optional[str] = ..., value: _Optional[float] = ..., threshold: _Optional[float] = ..., samples: _Optional[int] = ..., window_from: _Optional[float] = ..., window_to: _Optional[float] = ..., detected_at: _Optional[float] = ..., kind: _Optional[_Union[DriftKind, str]] = ..., remedy: _Optional[_Union[Remedy, str]] = ..., state: _Optional[_Union[DriftState, str]] = ..., language: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("measure", "method", "value", "threshold", "share")
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    measure: str
    method: str
    value: float
    threshold: float
    share: float
    def __init__(self, measure: _Optional[str] = ..., method: _Optional[str] = ..., value: _Optional[float] = ..., threshold: _Optional[float] = ..., share: _Optional[float] = ...) -> None: ...

class ActionTaken(_message.Message):
    __slots__ = ("action_id", "kind", "automation", "done", "reason", "drift_id", "model_digest", "track", "language", "by", "at")
    ACTION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AUTOMATION_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DRIFT_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    action_id: str
    kind: ActionKind
    automation: Automation
    done: bool
    reason: str
    drift_id: str
    model_digest: str
    track: Track
    language: str
    by: str
    at: float
    def __init__(self, action_id: _Optional[str] = ..., kind: _Optional[_Union[ActionKind, str]] = ..., automation: _Optional[_Union[Automation, str]] = ..., done: _Optional[bool] = ..., reason: _Optional[str] = ..., drift_id: _Optional[str] = ..., model_digest: _Optional[str] = ..., track: _Optional[_Union[Track, str]] = ..., language: _Optional[str] = ..., by: _Optional[str] = ..., at: _Optional[float] = ...) -> None: ...

class StateKept(_message.Message):
    __slots__ = ("part", "owner", "value", "at")
    PART_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    part: str
    owner: str
    value: bytes
    at: float
    def __init__(self, part: _Optional[str] = ..., owner: _Optional[str] = ..., value: _Optional[bytes] = ..., at: _Optional[float] = ...) -> None: ...

class ModelPromoted(_message.Message):
    __slots__ = ("model", "language", "replaces", "scores", "run", "promoted_at")
    class ScoresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    PROMOTED_AT_FIELD_NUMBER: _ClassVar[int]
    model: ModelName
    language: str
    replaces: str
    scores: _containers.ScalarMap[str, float]
    run: str
    promoted_at: float
    def __init__(self, model: _Optional[_Union[ModelName, _Mapping]] = ..., language: _Optional[str] = ..., replaces: _Optional[str] = ..., scores: _Optional[_Mapping[str, float]] = ..., run: _Optional[str] = ..., promoted_at: _Optional[float] = ...) -> None: ...

class RolloutLooked(_message.Message):
    __slots__ = ("release", "namespace", "revision", "bundle", "way", "step", "steps", "kind", "weight", "what", "reason", "findings", "canary_clips", "baseline_clips", "began_at", "deadline_at", "expires_at", "looked_at")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    WAY_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    CANARY_CLIPS_FIELD_NUMBER: _ClassVar[int]
    BASELINE_CLIPS_FIELD_NUMBER: _ClassVar[int]
    BEGAN_AT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    release: str
    namespace: str
    revision: int
    bundle: str
    way: str
    step: int
    steps: int
    kind: str
    weight: float
    what: Looked
    reason: str
    findings: _containers.RepeatedCompositeFieldContainer[Told]
    canary_clips: int
    baseline_clips: int
    began_at: float
    deadline_at: float
    expires_at: float
    looked_at: float
    def __init__(self, release: _Optional[str] = ..., namespace: _Optional[str] = ..., revision: _Optional[int] = ..., bundle: _Optional[str] = ..., way: _Optional[str] = ..., step: _Optional[int] = ..., steps: _Optional[int] = ..., kind: _Optional[str] = ..., weight: _Optional[float] = ..., what: _Optional[_Union[Looked, str]] = ..., reason: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[Told, _Mapping]]] = ..., canary_clips: _Optional[int] = ..., baseline_clips: _Optional[int] = ..., began_at: _Optional[float] = ..., deadline_at: _Optional[float] = ..., expires_at: _Optional[float] = ..., looked_at: _Optional[float] = ...) -> None: ...

class Told(_message.Message):
    __slots__ = ("measure", "canary", "baseline", "low", "high", "margin", "said")
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    SAID_FIELD_NUMBER: _ClassVar[int]
    measure: str
    canary: float
    baseline: float
    low: float
    high: float
    margin: float
    said: str
    def __init__(self, measure: _Optional[str] = ..., canary: _Optional[float] = ..., baseline: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., margin: _Optional[float] = ..., said: _Optional[str] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("dead_key", "clip_id", "shadow", "origin_topic", "origin_partition", "origin_offset", "reason", "cure", "kind", "stage", "attempts", "value")
    DEAD_KEY_FIELD_NUMBER: _ClassVar[int]
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_TOPIC_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_PARTITION_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_OFFSET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CURE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    dead_key: str
    clip_id: str
    shadow: bool
    origin_topic: str
    origin_partition: int
    origin_offset: int
    reason: str
    cure: str
    kind: DeathKind
    stage: str
    attempts: int
    value: bytes
    def __init__(self, dead_key: _Optional[str] = ..., clip_id: _Optional[str] = ..., shadow: _Optional[bool] = ..., origin_topic: _Optional[str] = ..., origin_partition: _Optional[int] = ..., origin_offset: _Optional[int] = ..., reason: _Optional[str] = ..., cure: _Optional[str] = ..., kind: _Optional[_Union[DeathKind, str]] = ..., stage: _Optional[str] = ..., attempts: _Optional[int] = ..., value: _Optional[bytes] = ...) -> None: ...
