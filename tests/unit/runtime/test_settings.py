"""Settings: what is promised, what is read, what is refused."""

import ast
import inspect
from pathlib import Path

import pytest
from pydantic import BaseModel

from lipsol.errors import BadInput
from lipsol.runtime import settings as module
from lipsol.runtime.settings import Section, Settings, load


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in [name for name in module.os.environ if name.upper().startswith("LIPSOL_")]:
        monkeypatch.delenv(name)


def test_the_defaults_are_as_promised():
    assert load(Settings).model_dump() == {
        "bus": {
            "kind": "memory",
            "capacity": 1024,
            "history": 4096,
            "history_mib": 32,
            "servers": "127.0.0.1:9092",
            "prefix": "",
            "protocol": "PLAINTEXT",
            "ca_file": None,
            "mechanism": None,
            "user": None,
            "password": None,
            "connect_s": 5.0,
            "publish_s": 10.0,
            "session_s": 10.0,
            "handover_s": 30.0,
            "buffer": 256,
            "buffer_mib": 16,
        },
        "store": {
            "kind": "local",
            "folder": None,
            "endpoint": "",
            "bucket": "lipsol",
            "prefix": "",
            "region": "",
            "readable": "",
        },
        "registry": {
            "kind": "local",
            "folder": None,
            "keys": None,
            "uri": "http://127.0.0.1:5000",
            "prefix": "",
            "cache": None,
        },
        "tracking": {"kind": "local", "folder": None, "uri": "http://127.0.0.1:5000"},
        "data": {"remote": "", "endpoint": "", "region": ""},
        "telemetry": {"metrics_port": None, "metrics_host": "0.0.0.0", "log_level": "info", "log_format": "auto"},
    }


def test_the_environment_is_read_when_asked_and_not_before(monkeypatch):
    monkeypatch.setenv("LIPSOL_BUS__CAPACITY", "64")
    monkeypatch.setenv("LIPSOL_STORE__FOLDER", "kept/here")
    settings = load(Settings)
    assert settings.bus.capacity == 64
    assert settings.store.folder == Path("kept/here")


def test_one_message_names_every_fault_by_its_variable(monkeypatch):
    for name, value in {
        "LIPSOL_BUS__CAPACITY": "0",
        "LIPSOL_BUS__KIND": "pigeon",
        "LIPSOL_BUS__SPEED": "9",
        "LIPSOL_STORE": "here",
        "LIPSOL_REGISTRIES__FOLDER": "models",
        "LIPSOL_TELEMETRY__METRICS_PORT": "http",
        "LIPSOL_TELEMETRY__LOG_LEVEL": "loud",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadInput) as refused:
        load(Settings)
    said = str(refused.value)
    assert said.startswith("7 settings")
    for told in (
        "LIPSOL_BUS__CAPACITY=0: ", "LIPSOL_BUS__KIND=pigeon: ", "LIPSOL_BUS__SPEED=9: no such setting",
        "LIPSOL_STORE=",
        "LIPSOL_REGISTRIES__FOLDER: no section 'registries', did you mean 'registry'?",
        "LIPSOL_TELEMETRY__METRICS_PORT=http: ", "LIPSOL_TELEMETRY__LOG_LEVEL=loud: ",
    ):  # fmt: skip
        assert told in said


def test_what_other_programs_set_is_left_alone(monkeypatch):
    monkeypatch.setenv("LIPSOL_PIPELINES__FOLDER", "x")
    monkeypatch.setenv("LIPSOL_PREPROCESS_SERVICE_HOST", "10.0.0.1")  # Kubernetes sets such for each Service
    assert load(Settings) == Settings()


class VaultSettings(Section):
    password: int = 0


class VaultedSettings(Settings):
    vault: VaultSettings = VaultSettings()


def test_a_service_adds_a_section_of_its_own(monkeypatch):
    monkeypatch.setenv("LIPSOL_VAULT__PASSWORD", "7")
    assert load(VaultedSettings).vault.password == 7


def test_a_secret_is_never_shown(monkeypatch):
    monkeypatch.setenv("LIPSOL_VAULT__PASSWORD", "hunter2")
    with pytest.raises(BadInput, match="LIPSOL_VAULT__PASSWORD=") as refused:
        load(VaultedSettings)
    assert "hunter2" not in str(refused.value)


def test_settings_can_not_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Settings().bus.capacity = 5  # type: ignore[misc]


def sections() -> list[ast.ClassDef]:
    tree = ast.parse(inspect.getsource(module))
    names = {kind.__name__ for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, BaseModel)}
    return [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name in names - {"Settings"}]


def test_every_setting_says_what_it_is_for():
    for section in sections():
        for setting, text in zip(section.body, [*section.body[1:], None], strict=True):
            if isinstance(setting, ast.AnnAssign):
                assert isinstance(text, ast.Expr), f"{section.name}.{ast.unparse(setting.target)} has no docstring"
                said = ast.literal_eval(text.value)
                assert "None" not in ast.unparse(setting.annotation) or "None:" in said, said
