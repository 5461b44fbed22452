"""What is made of the chart's values: nothing is written twice, and a slip of the pen is no value."""

import json

import jsonschema
import pytest
import yaml

from lipsol.topics import STABLE_MOUTHS
from services.embedded import EmbeddedSettings
from services.local.chart import CHART, OWN, renewed, schema, table, values, written

SMALL = """\
# Who reads.
reader:
  # Pods.
  # @schema {maximum: 12}
  replicas: 2
  # Seconds | of patience.
  wait_s: 3
  # Anything.
  labels: {}
"""


@pytest.fixture(scope="module")
def chart(top):
    return top / CHART


@pytest.fixture(scope="module")
def source(chart):
    return (chart / "values.yaml").read_text()


@pytest.fixture(scope="module")
def check(source):
    return jsonschema.Draft7Validator(json.loads(schema(source)))


def test_a_comment_and_a_default_make_a_value():
    told = {".".join(value.path): value for value in values(SMALL)}
    assert list(told) == ["reader", "reader.replicas", "reader.wait_s", "reader.labels"]
    assert told["reader.replicas"].text == "Pods."
    assert told["reader.replicas"].narrowed == {"maximum": 12}


def test_the_table_has_a_line_a_value_and_none_breaks_it():
    lines = table(SMALL).splitlines()
    assert lines[2:4] == ["| **`reader`** | | Who reads. |", "| `reader.replicas` | `2` | Pods. |"]
    assert lines[4] == "| `reader.wait_s` | `3` | Seconds \\| of patience. |"


def test_an_annotation_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="write @schema"):
        list(values("# What.\n# @shema {}\nwhat: 1\n"))


def test_a_readme_without_a_place_for_the_table_is_refused():
    with pytest.raises(ValueError, match="put them back"):
        renewed("# The chart\n", SMALL)


def test_every_value_has_a_comment(source):
    assert not [".".join(value.path) for value in values(source) if len(value.text) < len("Pods.")]


def test_schema_and_readme_are_as_make_chart_makes_them(chart):
    for path, content in written(chart).items():
        assert path.read_text() == content, f"{path.name} is not what values.yaml says: run `make chart`"


def test_the_defaults_are_fit(check, source):
    check.validate(yaml.safe_load(source))


@pytest.mark.parametrize(
    "values",
    [
        {"preproces": {}},
        {"preprocess": {"replica": 3}},
        {"preprocess": {"settings": {"worker": 1}}},
        {"preprocess": {"settings": {"port": 80}}},
        {"inference": {"settings": {"track": "canary"}}},
        {"inference": {"replicas": STABLE_MOUTHS.partitions + 1}},
        {"autoscaling": {"max": STABLE_MOUTHS.partitions + 1}},
        {"monitor": {"replicas": 2}},
        {"kafka": {"servers": "kafka"}},
        {"kafka": {"password": "x"}},
        {"release": {"weight": 50}},
        {"release": {"expiry_s": 5}},
        {"release": {"steps": [{"kind": "canary", "weight": 101, "readings": 1}]}},
        {"release": {"gates": {"speed": 1}}},
        {"release": {"bundle": "latest"}},
    ],
    ids=str,
)
def test_what_can_not_be_meant_is_refused(check, values):
    assert not check.is_valid(values)


def test_what_the_chart_sets_itself_are_settings():
    for section, names in OWN.items():
        assert names <= set(getattr(EmbeddedSettings(), section).model_dump()), section


@pytest.mark.parametrize("name", ["autoscaling.max", "autoscaling.min", "inference.replicas", "release.replicas"])
def test_there_are_no_more_readers_than_the_topic_has_partitions(source, name):
    told = {".".join(value.path): value.narrowed for value in values(source)}
    assert told[name]["maximum"] == STABLE_MOUTHS.partitions


@pytest.mark.parametrize("name", ["small", "production", "gpu", "ingress", "rehearsal"])
def test_every_example_is_fit(check, chart, name):
    check.validate(yaml.safe_load((chart / "examples" / f"{name}.yaml").read_text()))


def test_every_template_has_a_suite(chart):
    names = {path.stem for path in (chart / "templates").glob("*.yaml")}
    assert names == {path.stem.removesuffix("_test") for path in (chart / "tests").glob("*_test.yaml")}


def test_external_secrets_bring_secrets_that_the_values_name(chart):
    values = (chart / "examples" / "production.yaml").read_text()
    brought = list(yaml.safe_load_all((chart / "examples" / "external-secrets.yaml").read_text()))
    assert brought and all(each["spec"]["target"]["name"] in values for each in brought)
