from lipsol.proto.v1 import events_pb2 as _events_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATE_UNSPECIFIED: _ClassVar[State]
    STATE_READING: _ClassVar[State]
    STATE_READ: _ClassVar[State]
    STATE_FAILED: _ClassVar[State]
STATE_UNSPECIFIED: State
STATE_READING: State
STATE_READ: State
STATE_FAILED: State

class ReadRequest(_message.Message):
    __slots__ = ("options", "chunk")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    options: ReadOptions
    chunk: bytes
    def __init__(self, options: _Optional[_Union[ReadOptions, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ReadOptions(_message.Message):
    __slots__ = ("model", "grammar", "language", "session", "wait", "phrases", "hotwords")
    class HotwordsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    GRAMMAR_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    PHRASES_FIELD_NUMBER: _ClassVar[int]
    HOTWORDS_FIELD_NUMBER: _ClassVar[int]
    model: str
    grammar: str
    language: str
    session: str
    wait: bool
    phrases: _containers.RepeatedScalarFieldContainer[str]
    hotwords: _containers.ScalarMap[str, float]
    def __init__(self, model: _Optional[str] = ..., grammar: _Optional[str] = ..., language: _Optional[str] = ..., session: _Optional[str] = ..., wait: _Optional[bool] = ..., phrases: _Optional[_Iterable[str]] = ..., hotwords: _Optional[_Mapping[str, float]] = ...) -> None: ...

class GetResultRequest(_message.Message):
    __slots__ = ("clip_id",)
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    def __init__(self, clip_id: _Optional[str] = ...) -> None: ...

class GiveFeedbackRequest(_message.Message):
    __slots__ = ("clip_id", "text", "verdict", "gave_up", "consent")
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    GAVE_UP_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    text: str
    verdict: _events_pb2.Verdict
    gave_up: bool
    consent: str
    def __init__(self, clip_id: _Optional[str] = ..., text: _Optional[str] = ..., verdict: _Optional[_Union[_events_pb2.Verdict, str]] = ..., gave_up: _Optional[bool] = ..., consent: _Optional[str] = ...) -> None: ...

class FeedbackTaken(_message.Message):
    __slots__ = ("clip_id", "text", "verdict", "kept", "gave_up")
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    GAVE_UP_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    text: str
    verdict: _events_pb2.Verdict
    kept: bool
    gave_up: bool
    def __init__(self, clip_id: _Optional[str] = ..., text: _Optional[str] = ..., verdict: _Optional[_Union[_events_pb2.Verdict, str]] = ..., kept: _Optional[bool] = ..., gave_up: _Optional[bool] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("clip_id", "state", "text", "confidence", "abstained", "alternatives", "words", "quality", "faces", "language", "grammar", "model", "track", "timings_ms", "received_at", "problem", "none", "sentences", "watched_s")
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
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ABSTAINED_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    GRAMMAR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_MS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    NONE_FIELD_NUMBER: _ClassVar[int]
    SENTENCES_FIELD_NUMBER: _ClassVar[int]
    WATCHED_S_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    state: State
    text: str
    confidence: float
    abstained: bool
    alternatives: _containers.RepeatedCompositeFieldContainer[_events_pb2.AlternativeText]
    words: _containers.RepeatedCompositeFieldContainer[_events_pb2.TimedWord]
    quality: _containers.ScalarMap[str, float]
    faces: int
    language: str
    grammar: str
    model: _events_pb2.ModelName
    track: _events_pb2.Track
    timings_ms: _containers.ScalarMap[str, float]
    received_at: float
    problem: Problem
    none: float
    sentences: _containers.RepeatedCompositeFieldContainer[Sentence]
    watched_s: float
    def __init__(self, clip_id: _Optional[str] = ..., state: _Optional[_Union[State, str]] = ..., text: _Optional[str] = ..., confidence: _Optional[float] = ..., abstained: _Optional[bool] = ..., alternatives: _Optional[_Iterable[_Union[_events_pb2.AlternativeText, _Mapping]]] = ..., words: _Optional[_Iterable[_Union[_events_pb2.TimedWord, _Mapping]]] = ..., quality: _Optional[_Mapping[str, float]] = ..., faces: _Optional[int] = ..., language: _Optional[str] = ..., grammar: _Optional[str] = ..., model: _Optional[_Union[_events_pb2.ModelName, _Mapping]] = ..., track: _Optional[_Union[_events_pb2.Track, str]] = ..., timings_ms: _Optional[_Mapping[str, float]] = ..., received_at: _Optional[float] = ..., problem: _Optional[_Union[Problem, _Mapping]] = ..., none: _Optional[float] = ..., sentences: _Optional[_Iterable[_Union[Sentence, _Mapping]]] = ..., watched_s: _Optional[float] = ...) -> None: ...

class Sentence(_message.Message):
    __slots__ = ("clip_id", "start_s", "end_s", "text", "confidence", "abstained", "alternatives", "words", "problem", "none")
    CLIP_ID_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ABSTAINED_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    NONE_FIELD_NUMBER: _ClassVar[int]
    clip_id: str
    start_s: float
    end_s: float
    text: str
    confidence: float
    abstained: bool
    alternatives: _containers.RepeatedCompositeFieldContainer[_events_pb2.AlternativeText]
    words: _containers.RepeatedCompositeFieldContainer[_events_pb2.TimedWord]
    problem: Problem
    none: float
    def __init__(self, clip_id: _Optional[str] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., text: _Optional[str] = ..., confidence: _Optional[float] = ..., abstained: _Optional[bool] = ..., alternatives: _Optional[_Iterable[_Union[_events_pb2.AlternativeText, _Mapping]]] = ..., words: _Optional[_Iterable[_Union[_events_pb2.TimedWord, _Mapping]]] = ..., problem: _Optional[_Union[Problem, _Mapping]] = ..., none: _Optional[float] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("type", "title", "status", "detail", "cure")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    CURE_FIELD_NUMBER: _ClassVar[int]
    type: str
    title: str
    status: int
    detail: str
    cure: str
    def __init__(self, type: _Optional[str] = ..., title: _Optional[str] = ..., status: _Optional[int] = ..., detail: _Optional[str] = ..., cure: _Optional[str] = ...) -> None: ...
