"""What an operator sees of the monitor, in a real Chromium: every state, without flicker, for whoever comes."""

import os
import time
from contextlib import ExitStack

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lipsol.drift.wording import KINDS
from services.monitor.contract import name_of_group
from services.monitor.runbooks import Runbooks
from services.monitor.wording import REMEDIES, said_of
from tests.board_made import (
    CANARY,
    COPY,
    FINDINGS,
    STABLE,
    URDU,
    MadeAlertmanager,
    action,
    alert,
    drifted,
    quiet,
    series,
)
from tests.conftest import TOP
from tests.e2e.board_server import Made, serving
from tests.e2e.conftest import until
from tests.e2e.test_page_access import PHONE, RULES

pytestmark = pytest.mark.browser

PICTURE = TOP / "build" / "board.png"
SHOWN = TOP / "docs" / "board.png"
PICTURE_BYTES = 200_000
MANY = 12
MEASURES = {  # unit, what is usual, and by how much it fell where the picture changed
    "lipsol_brightness_levels": ("gray levels", 117.0, 52.0),
    "lipsol_contrast_levels": ("gray levels", 31.0, 11.0),
    "lipsol_predictions_total": ("readings", 17.0, 0.0),
    "lipsol_confidence_ratio": ("ratio", 0.83, 0.14),
    "lipsol_abstained_ratio": ("ratio", 0.12, -0.2),
    "lipsol_mouth_width_pixels": ("pixels", 41.0, 0.0),
    "lipsol_yaw_degrees": ("degrees", 4.0, 0.0),
    "lipsol_an_odd_one": ("", 1.0, 0.0),
}
SHOWN_AT_ONCE = 6
RUNBOOK = "# Pictures changed\n\n1. Look at the windows.\n"
REPORT = {
    "name": "r1", "kind": "data-drift", "made_at": 1_795_310_000.0, "track": "stable", "model": "grid-sentences",
    "digest": "ab" * 32, "language": "en", "shadow": False, "clips": 800, "held": 800, "methods": {},
    "drifted": ["brightness"], "reference": "bundle", "page": "/reports/r1",
}  # fmt: skip


def fill(made: Made, state: str) -> None:
    """Bring the monitor into a state."""
    monitor = made.monitor
    monitor.groups = {
        "empty": [],
        "quiet": [quiet()],
        "learning": [quiet(state="learning", clips=40, said="160 more clips are needed before anything can be told.")],
        "no reference": [
            quiet(state="no reference", said="The bundle tells nothing of the clips that it learnt from.")
        ],
        "urdu": [drifted("speaker", URDU)],
        "many": [
            quiet(type(STABLE)("stable" if n % 2 else "canary", f"a-model-with-a-long-name-{n}", f"{n:064x}", "en"))
            for n in range(MANY)
        ]
        + [drifted("mix", CANARY), drifted("model", COPY)],
        "stood down": [quiet()],
    }.get(state, [quiet(CANARY), drifted(state)] if state in FINDINGS else [quiet()])
    monitor.faults = ["monitor has stood down: another one counts"] if state == "stood down" else []
    monitor.measured = [
        series(measure, each.group, unit, around, fell if each.state == "drift" else 0.0)
        for each in monitor.groups
        for measure, (unit, around, fell) in MEASURES.items()
    ]
    if state in FINDINGS:
        monitor.done = [action(), action("tell-users", action_id="b2" * 16, automation="suggest", done=False)]


STATES = ["empty", "no reference", "urdu", "many", "stood down", "alertmanager away", "camera"]  # each with other parts


@pytest.fixture(scope="module")
def standing(browser, tmp_path_factory):
    """A board that stays open, and what is behind it: it shows any state that is filled in."""
    books = tmp_path_factory.mktemp("runbooks")
    (books / "drift-camera.md").write_text(RUNBOOK)
    made = Made(reports=[REPORT])
    with serving(made, runbooks=books), browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.goto(made.url)
        expect(page.locator("#updated")).to_contain_text("Updated")
        yield page, made
        assert faults == []


@pytest.fixture
def board(open_page, tmp_path):
    """Opens the board in a state: the page, and what is behind it."""
    (tmp_path / "drift-camera.md").write_text(RUNBOOK)
    with ExitStack() as opened:

        def start(state: str, alertmanager: str = "", **how: object) -> tuple[Page, Made]:
            made = Made(reports=[REPORT] if state in FINDINGS else None)
            fill(made, state)
            if state == "alertmanager away":
                alertmanager = "http://127.0.0.1:9"
            opened.enter_context(serving(made, alertmanager, tmp_path))
            how = {"reduced_motion": "reduce", "viewport": {"width": 1200, "height": 900}} | how
            page = open_page(made.url, **how)
            expect(page.locator("#updated")).to_contain_text("Updated")
            return page, made

        yield start


def now(page: Page) -> None:
    """Have the page ask at once rather than in some seconds, as when it is looked at again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def headline(page: Page):
    return page.get_by_role("heading", level=2).first


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("empty", "Nothing has been read yet"),
        ("quiet", "All is as it should be"),
        ("learning", "Too few clips yet to tell"),
        ("no reference", "Nothing to compare with"),
        ("stood down", "This monitor does not count just now"),
        *((kind, KINDS[kind]) for kind in FINDINGS),
    ],
)
def test_it_says_in_plain_words_how_all_stands(standing, state, words):
    page, made = standing
    fill(made, state)
    now(page)
    expect(headline(page)).to_have_text(words)
    until(page, f"document.title.startsWith('{words}')")


@pytest.mark.parametrize("kind", FINDINGS)
def test_drift_is_told_with_its_evidence_since_when_and_what_to_do(standing, kind):
    page, made = standing
    fill(made, kind)
    now(page)
    remedy, evidence = FINDINGS[kind]
    expect(page.locator("#said")).to_have_text(said_of(made.monitor.groups[1]))
    expect(page.locator("#since")).to_contain_text(time.strftime("%H:%M", time.localtime(made.monitor.groups[1].since)))
    expect(page.locator("#todo")).to_contain_text(REMEDIES[remedy])
    card = page.locator("article", has_text=KINDS[kind])
    expect(card.locator(".todo")).to_contain_text(REMEDIES[remedy])
    expect(card.locator("tbody tr")).to_have_count(len(evidence))
    expect(card.locator("tbody tr").first).to_contain_text(evidence[0].method)
    expect(page.locator("#groups article").first).to_have_attribute("data-state", "drift")


def test_the_way_to_the_runbook_is_one_press(board):
    page, _ = board("camera")
    page.locator("article").get_by_role("link", name="How, step by step").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pictures changed")
    assert page.title() == "Pictures changed – LipSol"
    page.get_by_role("link", name="The board").click()
    expect(headline(page)).to_have_text(KINDS["camera"])


def test_who_counts_is_told(board):
    page, _ = board("quiet")
    expect(page.locator("#counting")).to_have_text("This monitor counts what is read.")
    page, _ = board("stood down")
    expect(page.locator("#said")).to_contain_text("stood down")


def test_windows_are_plots_with_words_and_a_table_for_who_wants_numbers(board):
    page, _ = board("camera")
    card = page.locator("article", has_text=KINDS["camera"])
    plots = card.get_by_role("img")
    expect(plots).to_have_count(SHOWN_AT_ONCE)
    card.get_by_text("2 more").click()
    expect(plots).to_have_count(len(MEASURES))
    names = card.locator("figcaption b").all_inner_texts()
    assert names[:4] == ["Brightness", "Contrast", "Readings", "Confidence"]  # what speaks for it is first
    assert names[-1] == "An odd one"
    words = plots.first.get_attribute("aria-label")
    assert words.startswith("Brightness: 117 at ") and "lowest" in words and "the line marks" in words
    line = card.locator("svg .line").first.get_attribute("d")
    assert line.count("M") == 2  # broken where nothing is known
    card.get_by_text("The same as a table").click()
    rows = card.locator(".figures tbody tr")
    expect(rows).to_have_count(36)
    expect(rows.first.get_by_role("cell")).to_have_count(1 + len(MEASURES))
    expect(card.locator(".figures tbody")).to_contain_text("–")


def test_only_the_windows_that_are_looked_at_are_asked_for(board):
    page, made = board("many")
    expect(page.locator("#groups article")).to_have_count(MANY + 2)
    until(page, "document.querySelectorAll('#groups svg').length > 0")
    assert made.wanted == [name_of_group(CANARY), name_of_group(COPY)]  # what drifted
    page.locator("article", has_text="a-model-with-a-long-name-7").get_by_text("Windows over time").click()
    until(page, "document.querySelectorAll('#groups details[open]:has(svg)').length === 3")
    assert len(made.wanted) == 3


def test_another_span_shows_other_windows(board):
    page, made = board("quiet")
    until(page, "document.querySelectorAll('#groups svg').length > 0")
    wide = page.locator("svg .line").first.get_attribute("d")
    page.get_by_label("Show the last").select_option("3600")
    until(page, f"document.querySelector('svg .line').getAttribute('d') !== '{wide}'")
    assert time.time() - made.monitor.asked[-1][1] < 3700


def test_without_an_alertmanager_it_says_how_to_name_one(board):
    page, _ = board("camera")
    expect(page.locator("#alerts-problem")).to_contain_text("LIPSOL_MONITOR__ALERTMANAGER")
    expect(page.locator("#alerts li")).to_contain_text([KINDS["camera"]])


def test_an_alertmanager_that_is_away_is_said_to_be_and_what_the_monitor_found_stands_in(board):
    page, _ = board("alertmanager away")
    expect(page.locator("#alerts-problem")).to_contain_text("127.0.0.1:9 does not tell its alerts")
    expect(page.locator("#no-alerts")).to_be_visible()


def test_active_alerts_are_shown_and_make_the_headline(board):
    marked = alert("<b>Odd</b>", "ticket", summary="<img src=x onerror=alert(1)>")
    with MadeAlertmanager([marked, alert()]).serving() as manager:
        page, _ = board("quiet", manager.address)
        expect(headline(page)).to_have_text("Something else is wrong")
        expect(page.locator("#said")).to_have_text("inference does not answer. And 1 more.")
        assert page.locator("#alerts h3").all_inner_texts() == [
            "inference does not answer", "<img src=x onerror=alert(1)>",
        ]  # fmt: skip
        expect(page.locator("#alerts-problem")).to_be_hidden()


def test_what_was_done_is_listed_with_the_reason(board):
    page, _ = board("model")
    actions = page.locator("#actions li")
    expect(actions).to_have_count(2)
    expect(actions.first).to_contain_text("Done: Train again")
    expect(actions.first).to_contain_text("Other people speak: train again.")
    expect(actions.last).to_contain_text("Proposed: Tell the people")


def test_reports_are_linked_where_somebody_makes_them(board):
    page, _ = board("camera")
    expect(page.locator("#reports a")).to_have_attribute("href", "/reports/r1")
    page, _ = board("quiet")
    expect(page.locator("#reports-part")).to_be_hidden()


def test_a_language_stands_by_its_own_name_too_and_runs_its_own_way(board):
    page, _ = board("urdu")
    own = page.locator("h3 bdi[lang=ur]")
    expect(own).to_have_text("اردو")
    assert own.evaluate("node => getComputedStyle(node).direction") == "rtl"
    expect(page.locator("#groups h3")).to_contain_text("Urdu")


def test_it_renews_itself_without_touching_what_stayed_the_same(board):
    page, made = board("quiet")
    page.locator("#groups summary").first.focus()
    page.evaluate(
        """() => {
            globalThis.changes = 0;
            globalThis.card = document.querySelector("#groups article");
            const look = (all) => { globalThis.changes += all.length; };
            for (const id of ["overall", "groups", "alerts", "actions"])
                new MutationObserver(look).observe(
                    document.getElementById(id), {subtree: true, childList: true, characterData: true});
        }"""
    )
    before = len(made.asked)
    now(page)
    until(page, "true")
    while made.asked[before:].count("GET /v1/state") < 2:  # by itself, too
        page.wait_for_timeout(100)
    assert page.evaluate("changes") == 0
    made.monitor.groups = [drifted("camera", CANARY), drifted("model")]
    made.monitor.groups[1] = drifted("model")
    now(page)
    expect(headline(page)).not_to_have_text("All is as it should be")
    expect(page.locator("#groups article")).to_have_count(2)
    assert page.evaluate("document.querySelector('#groups').contains(card) && card.contains(document.activeElement)")


def test_who_listens_hears_changes_and_nothing_else(board):
    page, made = board("quiet")
    heard = page.locator("#status")
    assert (heard.get_attribute("aria-live"), heard.inner_text()) == ("polite", "")
    page.evaluate(
        """() => {
            globalThis.said = [];
            const node = document.getElementById("status");
            new MutationObserver(() => globalThis.said.push(node.textContent)).observe(
                node, {childList: true, characterData: true, subtree: true});
        }"""
    )
    for _ in range(3):
        now(page)
    made.monitor.groups = [drifted("camera")]
    now(page)
    until(page, "said.length > 0")
    now(page)
    made.monitor.broken = True
    now(page)
    until(page, "said.at(-1) === 'The monitor does not answer.'")
    assert page.evaluate("said") == [f"{KINDS['camera']}. {said_of(drifted('camera'))}", "The monitor does not answer."]


def test_a_monitor_that_is_gone_is_said_to_be_with_the_time_of_what_is_shown(board):
    page, made = board("quiet")
    made.monitor.broken = True
    now(page)
    expect(headline(page)).to_have_text("The monitor does not answer")
    expect(page.locator("#said")).to_contain_text("as of")
    expect(page.locator("#groups article")).to_have_count(1)
    made.monitor.broken = False
    now(page)
    expect(headline(page)).to_have_text("All is as it should be")


def test_nothing_is_fetched_from_anywhere_else_and_no_script_may_be_smuggled_in(board):
    page, made = board("camera")
    page.wait_for_load_state("networkidle")
    hosts = page.evaluate(
        "[...new Set(performance.getEntriesByType('resource').map(each => new URL(each.name).origin))]"
    )
    assert hosts == [made.url]
    policy = page.request.get(made.url).headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


@pytest.mark.parametrize("state", STATES)
def test_nobody_is_kept_out_in_light_in_the_dark_and_on_a_small_phone(board, state):
    page, _ = board(state)
    if state != "empty":
        until(page, "document.querySelectorAll('#groups svg').length > 0")
    if state == "camera":
        page.locator("#groups details[open]").first.get_by_text("The same as a table").click()
        page.locator("#groups .figures[open] tbody tr").first.wait_for()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll("select, summary")]
            .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 44)
            .map(each => each.textContent)"""
    )
    assert small == []


def test_everything_can_be_reached_by_keyboard(board):
    page, _ = board("camera")
    until(page, "document.querySelectorAll('#groups svg').length > 0")
    met = []
    for _ in range(14):
        page.keyboard.press("Tab")
        met.append(page.evaluate("document.activeElement.textContent.slice(0, 24).trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert "How, step by step" in met
    summary = page.locator("#groups summary", has_text="The same as a table").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#groups .figures[open] table").first).to_be_visible()


def test_every_runbook_can_be_read_on_a_small_phone(open_page):
    with serving(Made()) as made:
        page = open_page(made.url, viewport=PHONE, reduced_motion="reduce")
        wide = []
        for name in Runbooks().names:
            page.goto(f"{made.url}/runbooks/{name}")
            expect(page.get_by_role("heading", level=1)).to_have_count(1)
            if page.evaluate("document.documentElement.scrollWidth") != PHONE["width"]:
                wide.append(name)
        assert wide == []
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_the_picture_of_the_board_shows_what_changed(board):
    """LIPSOL_RENEW=1 puts it into docs/."""
    page, made = board("camera", viewport={"width": 960, "height": 1660})
    made.monitor.groups = made.monitor.groups[1:]
    now(page)
    expect(page.locator("#groups article")).to_have_count(1)
    until(page, "document.querySelectorAll('#groups svg').length > 0")
    PICTURE.parent.mkdir(exist_ok=True)
    page.screenshot(path=PICTURE)
    assert PICTURE.stat().st_size > 20_000
    if os.environ.get("LIPSOL_RENEW") == "1":
        assert PICTURE.stat().st_size < PICTURE_BYTES
        SHOWN.write_bytes(PICTURE.read_bytes())
