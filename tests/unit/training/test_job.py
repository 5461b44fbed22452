"""Plans by name and as JSON, jobs from cards, labels dealt anew, and what a data set alone decides."""

import dataclasses
import json
from dataclasses import asdict

import pytest
import torch

from lipsol.archive import CARD, Archive
from lipsol.errors import BadInput, NotFound
from lipsol.evaluation.reading import processor
from lipsol.training.calibrate import NEVER, confidence_of, never_sure
from lipsol.training.cards import unlike
from lipsol.training.corpus import Corpus
from lipsol.training.job import Job, code_version, job_of, like
from lipsol.training.plan import Plan
from lipsol.training.spoil import spoilt
from lipsol.training.tasks import tasks_of
from tests.training_made import made


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return made(tmp_path_factory.mktemp("made") / "data")


def test_a_plan_goes_by_name_or_by_what_it_changes(tmp_path):
    assert Plan.named("full") == Plan() and Plan.named("brief").near.epochs < 80
    changed = Plan.named('{"base": "brief", "near": {"rate": 0.001}, "light": {"margin": [1, 4]}, "dropout": 0.1}')
    assert changed.near.rate == 0.001 and changed.near.epochs == Plan.named("brief").near.epochs
    assert changed.light.margin == (1, 4) and changed.dropout == 0.1
    (tmp_path / "plan.json").write_text(json.dumps(asdict(changed)))
    assert Plan.named(str(tmp_path / "plan.json")) == changed


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ("quick", NotFound, "no plan 'quick'"),
        ('{"near": {"epoch": 3}}', BadInput, "nothing is called epoch"),
        ('{"near": {"epochs": "many"}}', BadInput, "makes no sense"),
        ("{", BadInput, "makes no sense"),
    ],
    ids=["another name", "another field", "another type", "no JSON"],
)
def test_a_plan_that_is_none_is_refused(asked, error, told):
    with pytest.raises(error, match=told):
        Plan.named(asked)


def _card(job):
    told = {"seed": 7, "plan": asdict(Plan.named("brief")), "spoil": "shuffled labels", "limit": 2}
    data = {"name": "made", "sha256": job.version_of_data(), "dvc": ""}
    return {"name": "made-words", "version": "1.2.0", "data": data, "training": json.loads(json.dumps(told))}


def test_a_card_alone_tells_how_to_train_again(dataset, tmp_path):
    job = Job(dataset.folder, tmp_path, tmp_path)
    again = like(_card(job), job)
    assert (again.seed, again.plan, again.limit) == (7, Plan.named("brief"), 2)
    assert (again.spoil, again.version) == ("shuffled labels", "1.2.0")
    assert again.key("x", 1) != job.key("x", 1)
    assert dataclasses.replace(again, command="other", workers=9).key("x", 1) == again.key("x", 1)


@pytest.mark.parametrize("name", ["grid-sentences", "grid-words"])
def test_the_shipped_models_can_be_trained_again_from_their_cards(name, top, grid, tmp_path):
    card = json.loads(Archive.read(top / "models" / f"{name}.lipsol").members[CARD])
    again = like(card, Job(grid, tmp_path, tmp_path))
    assert (again.seed, again.plan, again.limit, again.spoil) == (1, Plan.named("full"), 0, "")


def test_data_of_another_version_is_refused_and_both_are_named(dataset, tmp_path):
    job = Job(dataset.folder, tmp_path, tmp_path)
    card = _card(job)
    card["data"]["sha256"] = "0" * 64
    with pytest.raises(BadInput, match=f"version {'0' * 64}.*version {job.version_of_data()}"):
        like(card, job)
    with pytest.raises(BadInput, match="does not tell its training's seed"):
        like({"name": "old", "version": "1"}, job)


def test_what_differs_where_it_is_trained_again_is_named(dataset, tmp_path):
    job = Job(dataset.folder, tmp_path, tmp_path)
    here = {"processor": processor(), "torch": torch.__version__, "code": code_version()}
    card = _card(job)
    card["training"] |= here
    assert unlike(card, job) == []
    card["training"] |= {"processor": "an abacus"}
    del card["training"]["code"]
    chip, code = unlike(card, job)
    assert "processor of made-words 1.2.0 is an abacus, here" in chip and here["processor"] in chip
    assert "code of made-words 1.2.0 is not told, here" in code


def test_what_ranks_trained_is_not_trained_again_by_another_number_of_them(dataset, tmp_path):
    job = Job(dataset.folder, tmp_path, tmp_path)
    card = _card(job)
    card["training"]["ranks"] = 2
    with pytest.raises(BadInput, match="trained by 2 processes together; 1 would") as told:
        like(card, job)
    assert "torchrun --nproc-per-node 2" in told.value.cure
    assert like(card, dataclasses.replace(job, ranks=2)).seed == 7


@pytest.mark.parametrize(
    ("device", "precision", "taken"),
    [("cpu", None, "single"), ("cuda", None, "bfloat16"), ("cuda", "single", "single"), ("cuda", "float16", "float16")],
)
def test_the_device_decides_on_the_precision_unless_told(tmp_path, device, precision, taken):
    asked = {"seed": 1, "plan": "brief", "limit": 0, "spoil": False, "device": device, "precision": precision}
    assert job_of(data=tmp_path, out=tmp_path, cache=tmp_path, **asked).precision == taken


def test_a_change_in_how_mouths_are_cut_or_readings_decoded_trains_anew(dataset, tmp_path, monkeypatch):
    for room in ("clips", "model/decoding"):
        file = tmp_path / "lipsol" / room / "new.py"
        file.parent.mkdir(parents=True)
        monkeypatch.setattr("lipsol.training.job.__file__", str(tmp_path / "lipsol" / "training" / "job.py"))
        job, keys = Job(dataset.folder, tmp_path, tmp_path), set()
        for text in ("", "one = 1", "one = 2"):
            file.write_text(text)
            keys.add(job.key("x", 1))
        assert len(keys) == 3


def test_labels_are_dealt_anew_among_training_clips_alone(dataset):
    worse = spoilt(dataset, "shuffled labels", 1)
    training = [n for n, item in enumerate(dataset.items) if item.split == "train"]
    assert sorted(worse.items[n].text for n in training) == sorted(dataset.items[n].text for n in training)
    assert [worse.items[n].text for n in training] != [dataset.items[n].text for n in training]
    for n, (item, now) in enumerate(zip(dataset.items, worse.items, strict=True)):
        assert n in training or now == item
        assert [(word.start, word.end) for word in now.words] == [(word.start, word.end) for word in item.words]
        assert not now.words or " ".join(word.text for word in now.words) == now.text
    assert spoilt(dataset, "shuffled labels", 1) == worse and spoilt(dataset, "", 1) is dataset


def test_a_data_set_says_who_is_known_who_is_left_out_and_what_is_scored(dataset, tmp_path):
    corpus = Corpus.load(dataset, tmp_path, 1, print)
    assert {item.speaker for item in corpus.known("train")} == {"a", "b"}
    assert corpus.folds() == {"fold1": ("c", "f"), "fold2": ("d", "g"), "fold3": ("e",)}
    assert [task.name for task in tasks_of(list(corpus.folds()))][3:] == ["far-fold1", "far-fold2", "far-fold3"]
    assert {item.speaker for item in corpus.others("train", without=("c", "f"))} == {"d", "e", "g"}
    groups = {name: {item.speaker for item in items} for name, items in corpus.groups().items() if items}
    assert groups["unseen speaker, all"] == {"u"} and groups["other speakers, test"] == set("cdefg")
    assert not {"unseen speaker, spread", "unseen speaker, new sentences"} & groups.keys()
    with pytest.raises(BadInput, match="no readable train clip of nobody"):
        Corpus.load(dataclasses.replace(dataset, home=("nobody",)), tmp_path, 1, print)


def test_strangers_who_say_what_nobody_said_in_training_are_scored_by_themselves_too(dataset, tmp_path):
    items = [
        dataclasses.replace(item, text="bin red at z zero soon") if item.name == "u_u0" else item
        for item in dataset.items
    ]
    groups = Corpus.load(dataclasses.replace(dataset, items=tuple(items)), tmp_path, 1, print).groups()
    assert [item.name for item in groups["unseen speaker, all"]] == ["u_u0", "u_u1"]
    assert [item.name for item in groups["unseen speaker, new sentences"]] == ["u_u0"]


def test_a_model_of_nobody_real_is_never_sure():
    held = never_sure(confidence_of([], [], ["a"]))
    assert held.threshold == held.stranger_threshold == NEVER
