"""What a person can do with the page, in a real Chromium, against answers from cans."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import until
from tests.e2e.page_server import GIVEN_UP, RESULTS

pytestmark = pytest.mark.browser

VOICES = """
    const far = {name: "far", lang: "en-US", localService: false};
    const near = {name: "near", lang: "en_GB", localService: true};
    globalThis.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
    globalThis.said = [];
    Object.defineProperty(window, "speechSynthesis", {value: {
        getVoices: () => [far, near], addEventListener: () => {}, cancel: () => {},
        speak: (utterance) => said.push([utterance.text, utterance.voice.name]),
    }});
"""
BROKEN_VIDEO = {"name": "sure.avi", "mimeType": "video/x-msvideo", "buffer": b"RIFF no browser plays this"}


def marked(page):
    """What is marked as spoken just now."""
    return page.locator("#words [aria-current] span")


def spoken_at(page, seconds):
    """Look at the picture of this time."""
    page.evaluate("seconds => { document.getElementById('clip').currentTime = seconds }", seconds)
    until(page, f"Math.abs(document.getElementById('position').value - {seconds}) < 0.05")


@pytest.mark.parametrize("name", RESULTS)
def test_the_cans_hold_what_the_edge_promises(name):
    from services.preprocess.results import Result

    assert Result.model_validate(RESULTS[name])
    assert set(RESULTS[name]) == set(Result.model_fields)


def test_a_chosen_clip_becomes_words_that_are_shaded_by_how_sure_they_are(send):
    page = send("sure")
    expect(page.get_by_role("heading", name="What was said")).to_be_focused()
    expect(page.locator("#certainty")).to_have_text("94 % sure")
    assert page.locator("#words span").all_inner_texts() == RESULTS["sure"]["text"].split()
    assert page.locator("#words small").all_inner_texts() == ["99 %", "98 %", "95 %", "52 %", "97 %", "81 %"]
    styles = "spans => spans.map(span => getComputedStyle(span).borderBottomStyle)"
    marks = page.locator("#words span").evaluate_all(styles)
    assert marks == ["solid", "solid", "solid", "dotted", "solid", "dashed"]
    shades = page.locator("#words button").evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)")
    assert len({shades[0], shades[3], shades[5]}) == 3


def test_a_clip_is_sent_whole_with_a_name_for_the_sending(page, send, edge, sample):
    expect(page.locator("#language option")).to_have_count(2)  # the models that are here have been told
    send("sure").get_by_role("heading", name="What was said").wait_for()
    (clip,) = edge.clips
    assert clip["bytes"] == sample.bytes()
    assert re.fullmatch(r"[0-9a-f]{32}", clip["key"])
    assert (clip["model"], clip["grammar"], clip["language"]) == ("", "", "en")


def test_the_clips_of_one_visit_have_one_name_that_says_nothing_and_another_visit_has_another(page, send, edge):
    for _ in range(2):
        send("sure").get_by_role("heading", name="What was said").wait_for()
        page.get_by_role("button", name="Read another clip").click()
    page.reload()
    send("sure").get_by_role("heading", name="What was said").wait_for()
    first, second, later = [clip["session"] for clip in edge.clips]
    assert first == second != later
    assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in (first, later))


def test_a_dropped_clip_is_read(page, edge):
    page.evaluate(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(new File(["a video"], "sure.mp4", {type: "video/mp4"}));
            document.getElementById("drop").dispatchEvent(
                new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
        }"""
    )
    page.get_by_role("heading", name="What was said").wait_for()
    assert edge.clips[0]["name"] == "sure.mp4"


def test_the_word_that_is_spoken_is_marked_as_the_clip_plays(send):
    page = send("sure")
    until(page, "document.getElementById('clip').readyState >= 2")
    expect(marked(page)).to_have_count(0)
    spoken_at(page, 0.96)
    expect(marked(page)).to_have_text(["green"])
    spoken_at(page, 2.92)
    expect(marked(page)).to_have_count(0)


def test_a_pressed_word_is_seen_spoken_and_the_next_ones_after_it(send):
    page = send("sure")
    until(page, "document.getElementById('clip').readyState >= 2")
    page.evaluate(
        """() => {
            const clip = document.getElementById("clip");
            globalThis.marked = [];
            const look = (changes) => globalThis.marked.push(
                ...changes.map(({target}) => target).filter((item) => item.ariaCurrent).map((item) => item.innerText));
            new MutationObserver(look).observe(document.getElementById("words"), {subtree: true, attributes: true});
            clip.play = () => { globalThis.played = true; return Promise.resolve(); };  // held at the pressed word
        }"""
    )
    page.locator("#words button", has_text="three").click()
    until(page, "globalThis.played && !document.getElementById('clip').seeking")
    start = next(word["start_s"] for word in RESULTS["sure"]["words"] if word["text"] == "three")
    assert page.evaluate("document.getElementById('clip').currentTime") == pytest.approx(start, abs=0.001)
    page.evaluate("() => { const clip = document.getElementById('clip'); delete clip.play; clip.play(); }")
    until(page, "document.getElementById('clip').ended")
    seen = list(dict.fromkeys(word.split()[0] for word in page.evaluate("marked")))
    assert seen[0] in ("three", "b")  # the picture in which a word begins may belong to the word before
    assert seen == [word for word in ("b", "three", "again") if word in seen]  # a busy machine passes some over
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_clip_plays_from_memory_and_is_not_fetched(send, edge):
    page = send("sure")
    until(page, "document.getElementById('clip').readyState >= 2")
    assert page.locator("#clip").get_attribute("src").startswith("blob:")
    assert page.evaluate("document.getElementById('clip').videoWidth") == 360
    assert {asked for asked in edge.asked if "/clips/" in asked} <= {
        "GET /v1/clips/sure/lips",
        "GET /v1/clips/sure/captions.vtt",
    }


def test_the_lips_are_outlined_where_the_machine_saw_them_and_can_be_hidden(send):
    page = send("sure")
    page.wait_for_selector("#outline[data-drawn=true]", state="attached")
    painted = """() => {
        const canvas = document.getElementById("outline");
        const dots = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let box = null;
        for (let dot = 0; dot < dots.length / 4; dot += 1) {
            if (!dots[4 * dot + 3]) continue;
            const [x, y] = [(dot % canvas.width) / canvas.width, Math.floor(dot / canvas.width) / canvas.height];
            const [left, top, right, bottom] = box ?? [x, y, x, y];
            box = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
        }
        return box;
    }"""
    left, top, right, bottom = page.evaluate(painted)
    assert (left, right) == (pytest.approx(0.36, abs=0.01), pytest.approx(0.49, abs=0.01))
    assert 0.7 < top < 0.77 < bottom < 0.86
    page.get_by_label("Outline the lips").uncheck()
    assert page.evaluate(painted) is None


def test_what_is_not_sure_is_never_given_as_the_answer(send):
    page = send("unsure")
    expect(page.get_by_role("heading", name="Not sure. Perhaps one of these:")).to_be_focused()
    assert page.locator("#guesses span").all_inner_texts() == [
        "lay red in v eight please",
        "lay red in b eight please",
        "set red in v eight please",
    ]
    for hidden in ("#words", "#certainty", "#others", "#right", "#legend"):
        expect(page.locator(hidden)).to_be_hidden()
    assert page.locator("#words li").count() == 0
    assert page.get_by_role("status").all_inner_texts()[-1].startswith("Not sure. Perhaps one of these: lay red in v")


def test_what_looks_the_same_is_offered_together_and_none_of_the_phrases_is_told(send):
    page = send("board")
    expect(page.get_by_role("heading", name="Probably none of your phrases. If one, perhaps:")).to_be_focused()
    expect(page.locator("#guesses span")).to_have_text(["lay red in b now", "set red in d now", "place blue at z now"])
    alike = page.locator("#guesses li").first.locator(".alike button")
    expect(alike).to_have_text(["lay red in p now", "lay red at b now"])
    expect(page.locator("#none")).to_have_text("None of your phrases: 62 %.")
    alike.last.click()
    expect(page.get_by_label("The right words")).to_have_value("lay red at b now")


def test_who_knows_of_no_board_is_told_nothing_of_one(send):
    expect(send("unsure").locator("#none")).to_be_hidden()


def test_words_to_expect_go_along(page, edge, sample):
    page.get_by_text("Options").click()
    page.get_by_label("Words to expect, one a line").fill("bin\n\n set:20 ")
    page.set_input_files("#file", {"name": "sure.mp4", "mimeType": "video/mp4", "buffer": sample.bytes()})
    page.get_by_role("heading", name="What was said").wait_for()
    assert edge.clips[0]["hotwords"].splitlines() == ["bin", "set:20"]


def test_an_alternative_is_one_tap_away_and_becomes_a_correction(send, edge):
    page = send("sure")
    page.get_by_role("button", name="bin green by d three again").click()
    said = page.get_by_label("The right words")
    expect(said).to_be_focused()
    expect(said).to_have_value("bin green by d three again")
    said.fill("bin green by e three again")
    page.get_by_role("button", name="Send correction").click()
    expect(page.locator("#thanks")).to_have_text("Thank you. Your correction is noted.")
    assert edge.feedback == [("sure", {"text": "bin green by e three again"})]


CONSENT = "LipSol may learn from this clip"


def test_the_page_asks_for_the_very_consent_that_the_edge_takes(page):
    from services.preprocess.consent import TEXT, WORDING

    asked = page.locator("label.consent")
    expect(asked).to_have_text(TEXT)
    expect(asked.locator("input")).to_have_value(WORDING)


def test_nothing_may_teach_unless_its_box_is_ticked_and_no_box_stays_ticked_for_the_next_clip(send, edge):
    page = send("sure")
    expect(page.get_by_label(CONSENT)).not_to_be_checked()
    page.get_by_label(CONSENT).check()
    page.get_by_role("button", name="Yes, right").click()
    expect(page.locator("#thanks")).to_have_text("Thank you. Noted as right. LipSol may learn from it.")
    send("crowd").locator("#faces").wait_for()
    expect(page.get_by_label(CONSENT)).not_to_be_checked()
    page.get_by_role("button", name="Yes, right").click()
    expect(page.locator("#thanks")).to_have_text("Thank you. Noted as right.")
    assert edge.feedback == [("sure", {"verdict": "right", "consent": "1"}), ("crowd", {"verdict": "right"})]


def test_what_may_teach_can_be_taken_back_with_one_press(send, edge):
    page = send("sure")
    take_back = page.get_by_role("button", name="Take back")
    expect(take_back).to_be_hidden()
    page.get_by_label(CONSENT).check()
    page.get_by_label("The right words").fill("bin green by e three again")
    page.get_by_role("button", name="Send correction").click()
    take_back.click()
    expect(page.locator("#thanks")).to_contain_text("Taken back.")
    expect(take_back).to_be_hidden()
    expect(page.get_by_label(CONSENT)).not_to_be_checked()
    assert (edge.feedback[0][1]["consent"], edge.withdrawn) == ("1", ["sure"])


@pytest.mark.parametrize(("press", "verdict"), [("Yes, right", "right"), ("No, wrong", "wrong")])
def test_a_verdict_is_one_press(send, edge, press, verdict):
    page = send("sure")
    page.get_by_role("button", name=press).click()
    expect(page.locator("#thanks")).to_contain_text("Thank you.")
    assert edge.feedback == [("sure", {"verdict": verdict})]


@pytest.mark.parametrize("name", ["sure", "unsure"])
def test_who_gave_up_and_typed_says_so_with_one_press_and_agrees_to_nothing(send, edge, name):
    page = send(name)
    page.get_by_label(CONSENT).check()
    page.get_by_role("button", name="No help: I typed it instead").press("Enter")
    expect(page.locator("#thanks")).to_have_text("Thank you. Noted that this reading was no help.")
    assert edge.feedback == [(name, {"gave_up": True})]
    expect(page.get_by_role("button", name="Take back")).to_be_hidden()


def test_none_of_the_guesses_is_a_verdict_too(send, edge):
    page = send("unsure")
    page.get_by_role("button", name="None of these").click()
    expect(page.locator("#thanks")).to_contain_text("Thank you.")
    assert edge.feedback == [("unsure", {"verdict": "wrong"})]


def test_a_model_that_learnt_from_drawn_mouths_says_so_in_both_languages(send):
    page = send("urdu")
    expect(page.locator("#drawn p")).to_have_count(2)
    english, urdu = page.locator("#drawn p").all()
    expect(english).to_contain_text("never met a real speaker")
    expect(urdu).to_have_attribute("lang", "ur")
    expect(urdu).to_have_attribute("dir", "rtl")
    expect(send("sure").locator("#drawn")).to_be_hidden()


def test_it_says_so_before_anything_is_sent_too(open_page, edge):
    page = open_page(edge.url)
    page.get_by_text("Options").click()
    expect(page.locator("#choice-drawn")).to_be_hidden()
    page.get_by_label("Language").select_option("ur")
    expect(page.locator("#choice-drawn")).to_contain_text("never met a real speaker")
    page.get_by_label("Language").select_option("en")
    expect(page.locator("#choice-drawn")).to_be_hidden()


def test_urdu_runs_from_right_to_left_in_its_own_letters(send):
    page = send("urdu")
    words = page.locator("#words")
    expect(words).to_have_attribute("dir", "rtl")
    expect(words).to_have_attribute("lang", "ur")
    first, second = (words.locator("button").nth(n).bounding_box() for n in (0, 1))
    assert first["x"] > second["x"]
    assert "Nastaliq" in words.evaluate("list => getComputedStyle(list).fontFamily")
    page.locator("#alternatives button").first.click()
    expect(page.get_by_label("The right words")).to_have_attribute("dir", "rtl")


def test_text_from_outside_is_never_markup(send):
    page = send("markup")
    assert page.locator("#words span").first.inner_text() == "<b>bold</b>"
    assert page.locator("#words b, #alternatives img").count() == 0


def test_a_refusal_tells_what_is_wrong_and_the_cure(send):
    alert = send("faceless").get_by_role("alert")
    expect(alert).to_contain_text("No face for 2.1 of 3.0 s.")
    expect(alert).to_contain_text("Face the camera, and light your face from the front.")
    expect(alert.get_by_role("button")).to_have_count(0)  # the same clip would be refused again


def test_a_busy_service_can_be_tried_again_with_the_same_sending(send, edge):
    edge.healthy = False
    page = send("busy")
    expect(page.get_by_role("alert")).to_contain_text("16 clips wait already")
    edge.healthy = True
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="What was said").wait_for()
    assert len({clip["key"] for clip in edge.clips}) == 1
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_clip_that_was_given_up_says_why(send):
    alert = send("given-up").get_by_role("alert")
    expect(alert).to_contain_text(GIVEN_UP["title"])
    expect(alert).to_contain_text("The model gave no words.")


def test_a_service_that_is_away_is_told_in_plain_words(page):
    page.route("**/v1/clips?wait=true", lambda route: route.abort())
    page.set_input_files("#file", {"name": "sure.mp4", "mimeType": "video/mp4", "buffer": b"a video"})
    expect(page.get_by_role("alert")).to_contain_text("LipSol cannot be reached")


def test_a_reading_that_takes_long_is_waited_for(send, edge):
    page = send("slow")
    page.get_by_role("heading", name="What was said").wait_for()
    assert edge.polls == 2


def test_waiting_can_be_cancelled(send):
    page = send("stuck")
    expect(page.locator("#step")).to_have_text("Finding the lips and reading them")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="What is being said?")).to_be_focused()
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_deleted_clip_is_gone_from_the_page_too(send, edge):
    page = send("sure")
    page.get_by_role("button", name="Delete this clip").click()
    expect(page.get_by_role("heading", name="What is being said?")).to_be_focused()
    assert edge.deleted == ["sure"]
    assert page.locator("#clip").get_attribute("src") is None
    assert page.get_by_role("status").all_inner_texts()[-1].startswith("Deleted.")


def test_who_has_no_voice_can_have_the_words_said_by_one_of_this_machine(open_page, edge, sample):
    page = open_page("about:blank")
    page.add_init_script(VOICES)
    page.goto(edge.url)
    page.set_input_files("#file", {"name": "sure.mp4", "mimeType": "video/mp4", "buffer": sample.bytes()})
    page.get_by_role("button", name="Say it aloud").click()
    assert page.evaluate("said") == [["bin green by b three again", "near"]]
    page.set_input_files("#file", {"name": "unsure.mp4", "mimeType": "video/mp4", "buffer": sample.bytes()})
    page.get_by_role("heading", name="Not sure").wait_for()
    expect(page.get_by_role("button", name="Say it aloud")).to_be_hidden()


def test_captions_can_be_taken_away(send):
    page = send("sure")
    for form in ("srt", "vtt"):
        link = page.get_by_role("link", name=f"Captions .{form}")
        expect(link).to_have_attribute("href", f"/v1/clips/sure/captions.{form}")
        expect(link).to_have_attribute("download", f"sure.{form}")


def test_the_options_come_from_the_models_that_are_here(page, edge, sample):
    page.get_by_text("Options").click()
    expect(page.get_by_label("Model").locator("option")).to_have_text(
        ["The usual one", "grid-sentences (sentences)", "grid-words (words)"]
    )
    page.get_by_label("Model").select_option("grid-words")
    page.get_by_label("What may be said").select_option("phrases")
    page.get_by_label("Your phrases, one a line").fill("yes please\n\n  no thanks ")
    page.set_input_files("#file", {"name": "sure.mp4", "mimeType": "video/mp4", "buffer": sample.bytes()})
    page.get_by_role("heading", name="What was said").wait_for()
    assert edge.clips[0]["model"] == "grid-words"
    clip = edge.clips[0]
    assert (clip["grammar"], clip["phrases"].splitlines(), clip["hotwords"]) == ("", ["yes please", "no thanks"], "")


def test_another_language_offers_its_own_models(page):
    page.get_by_text("Options").click()
    page.get_by_label("Language").select_option("ur")
    expect(page.get_by_label("Model").locator("option")).to_have_text(
        ["The usual one", "urdu-synthetic-sentences (sentences)"]
    )


def test_several_faces_are_told(send):
    expect(send("crowd").locator("#faces")).to_contain_text("3 faces")


def test_a_video_that_browsers_cannot_play_still_shows_its_words(page):
    page.set_input_files("#file", BROKEN_VIDEO)
    expect(page.get_by_text("This browser cannot play this kind of video")).to_be_visible()
    expect(page.locator("#stage")).to_be_hidden()
    expect(page.locator("#words li")).to_have_count(6)


def test_the_page_asks_nobody_but_its_own_service(send, edge):
    page = send("sure")
    page.wait_for_selector("#outline[data-drawn=true]", state="attached")
    addresses = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(address.startswith((edge.url, f"blob:{edge.url}")) for address in addresses)
