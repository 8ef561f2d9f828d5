"""Explorers that compute in the browser: the numbers and the words of the references, at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page

from course_lib.foundations.losses import mse, softmax, softmax_cross_entropy
from course_lib.foundations.losses import softmax_cross_entropy_gradient as gradient
from course_lib.plots import Explorer, feature_extraction, losses, regularization, sgd

pytestmark = pytest.mark.browser

HESSIAN, MINIMUM = np.array([[10.0, 4.0], [4.0, 2.0]]), np.array([0.8, 2.0])
LABELS = np.repeat([0, 1], [80, 40])
P = np.random.default_rng(0).beta(2 + 3 * LABELS, 4)

EXPLORERS: dict[str, Callable[[], Explorer]] = {
    "line": losses.line_explorer,
    "logits": losses.logits_explorer,
    "penalty": regularization.strength_explorer,
    "descent": lambda: sgd.momentum_explorer(HESSIAN, MINIMUM),
    "threshold": lambda: feature_extraction.threshold_explorer(P, LABELS),
}
MOVE = """(element, shares) => {
    const controls = [...element.querySelectorAll("input, select")];
    controls.forEach((control, n) => {
        if (control.options) control.selectedIndex = Math.floor(shares[n] * control.options.length);
        else control.value = Number(control.min) + shares[n] * (control.max - control.min);
        control.dispatchEvent(new Event("input"));
    });
    return element.values;
}"""


@pytest.fixture(scope="module")
def explorers() -> dict[str, Explorer]:
    return {name: make() for name, make in EXPLORERS.items()}


def html_of(explorer: Explorer) -> str:
    html: str = explorer._repr_mimebundle_()[0]["text/html"]
    return html


@pytest.fixture(scope="module")
def page(browser: Browser, explorers: dict[str, Explorer]) -> Iterator[Page]:
    """All explorers below each other, without Jupyter; nothing may be asked of a network."""
    page, wrong = browser.new_page(), []
    page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
    page.on("request", lambda request: wrong.append(request.url))
    body = "".join(html_of(explorer) for explorer in explorers.values())
    page.set_content(f"<html lang='en'><title>Explorers</title><main><h1>Explorers</h1>{body}")
    yield page
    assert [entry for entry in wrong if not entry.startswith("data:")] == []
    page.close()


def positions(name: str, explorer: Explorer, count: int = 25) -> Iterator[list[float]]:
    """Shares of the way of each control: all ends, and places between."""
    controls = len(explorer.sliders)
    yield from itertools.islice(map(list, itertools.product((0, 0.999999), repeat=controls)), 16)
    yield from np.random.default_rng(len(name)).random((count, controls)).tolist()


@pytest.mark.parametrize("name", EXPLORERS)
def test_words_and_numbers_are_those_of_the_reference(
    name: str, page: Page, explorers: dict[str, Explorer]
) -> None:
    element, explorer = page.locator(f"course-{name}"), explorers[name]
    for shares in positions(name, explorer):
        values = element.evaluate(MOVE, shares)
        assert words(element) == explorer._draw_values(**values)
        found = element.evaluate("element => element.compute(element.values)")
        for key, number in REFERENCE[name](**values).items():
            np.testing.assert_allclose(found[key], number, rtol=1e-9, atol=1e-9, err_msg=key)


def words(element: Locator) -> str | None:
    return element.locator("svg[role=img]").get_attribute("aria-label")


# --- what they must compute ----------------------------------------------------------------------


def line(slope: float, intercept: float) -> dict[str, Any]:
    y = slope * losses.LINE_X + intercept
    return {"errors": y - losses.LINE_T, "loss": mse(y[:, None], losses.LINE_T[:, None])}


def logits(label: int, **by_name: float) -> dict[str, Any]:
    z, labels = np.array([[*by_name.values()]]), np.array([label])
    loss = softmax_cross_entropy(z, labels)
    return {"p": softmax(z)[0], "loss": loss, "gradient": gradient(z, labels)[0]}


def penalty(strength: float, penalty: str) -> dict[str, Any]:
    x, t, fresh_x, fresh_t = regularization.noisy_sine()
    features, fresh = regularization.powers(x, 11), regularization.powers(fresh_x, 11)
    if penalty == "L2":
        weights = regularization.ridge_weights(features, t, strength)
    else:
        (weights,) = regularization.lasso_path(features, t, np.array([strength]))
    return {
        "weights": weights,
        "curve": regularization.powers(regularization.GRID, 11) @ weights,
        "training": mse(features @ weights, t),
        "validation": mse(fresh @ weights, fresh_t),
    }


def descent(learning_rate: float, momentum: float, rule: str) -> dict[str, Any]:
    points = sgd._path(HESSIAN, MINIMUM, learning_rate, momentum, rule)
    eigenvalues = np.linalg.eigvalsh(HESSIAN)
    factor = sgd.kept_each_step(eigenvalues, learning_rate, momentum, rule)
    return {"points": points, "losses": sgd._heights(HESSIAN, points - MINIMUM), "factor": factor}


def threshold(threshold: float) -> dict[str, Any]:
    matrix = [[np.sum((a == LABELS) & ((threshold <= P) == b)) for b in (0, 1)] for a in (0, 1)]
    return {"matrix": matrix, "recall": np.mean(P[LABELS == 1] >= threshold)}


REFERENCE: dict[str, Callable[..., dict[str, Any]]] = {
    "line": line,
    "logits": logits,
    "penalty": penalty,
    "descent": descent,
    "threshold": threshold,
}


# --- how it is used ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPLORERS)
def test_thirty_pictures_a_second(name: str, page: Page) -> None:
    """Of a key held down: each changes a slider and has its picture and words before the next."""
    slow = page.locator(f"course-{name}").evaluate(
        """async (element) => {
            const times = [];
            for (let n = 0; n < 40; n += 1) {
                await new Promise(requestAnimationFrame);
                const start = performance.now();
                const slider = element.querySelector("input");
                slider[n % 2 ? "stepUp" : "stepDown"]();
                slider.dispatchEvent(new Event("input"));
                element.getBoundingClientRect();  // with the layout
                times.push(performance.now() - start);
            }
            return times.sort((a, b) => a - b)[20];
        }"""
    )
    assert slow < 1000 / 30


@pytest.mark.parametrize("name", EXPLORERS)
def test_keys_move_sliders_that_have_names(name: str, page: Page) -> None:
    element = page.locator(f"course-{name}")
    element.evaluate(MOVE, [0.5] * 9)
    for slider in element.get_by_role("slider").all():
        before = words(element)
        slider.press("ArrowUp")
        assert words(element) != before
        said = slider.locator("xpath=following-sibling::output[1]").inner_text()
        assert slider.get_attribute("aria-valuetext") == said
    assert Axe().run(page, f"course-{name}").response["violations"] == []


def test_on_a_phone_sliders_can_be_moved(browser: Browser, explorers: dict[str, Explorer]) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_content("".join(map(html_of, explorers.values())))
    for slider in page.get_by_role("slider").all():
        box = slider.bounding_box()
        assert box is not None
        assert box["width"] > 390 / 4, slider
    page.close()


@pytest.mark.parametrize("width", [600, 1400])
def test_letters_can_be_read_on_a_narrow_page(
    width: int, browser: Browser, explorers: dict[str, Explorer]
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_content("".join(map(html_of, explorers.values())))
    for picture in page.locator(".course-explorer > svg").all():
        sizes = picture.evaluate(
            """svg => [...svg.querySelectorAll("text")].map(
                text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"""
        )
        upright = [size for size in sizes if size > 0.1]  # an axis' name stands on its side
        assert min(upright) > 9.5
        box = picture.bounding_box()
        assert box is not None
        assert box["height"] < 0.6 * 900  # with its sliders it has room in a window
    page.close()


@pytest.mark.parametrize("name", EXPLORERS)
def test_where_no_script_runs_there_is_the_picture(
    name: str, browser: Browser, explorers: dict[str, Explorer]
) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.set_content(html_of(explorers[name]))
    assert page.get_by_role("img").get_attribute("alt") == explorers[name].alt
    page.close()


def test_the_same_explorer_twice_on_a_page(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(2 * html_of(losses.line_explorer()))
    first, second = page.locator("course-line").all()
    before = words(second)
    first.get_by_role("slider", name="slope").press("ArrowRight")
    assert words(first) != words(second) == before
    page.close()


def test_names_are_text(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(html_of(losses.logits_explorer(["<b>a</b>", 'b"&'])))
    element = page.locator("course-logits")
    assert element.locator("b").count() == 0
    assert str(words(element)).startswith("True label <b>a</b>, loss 0.127. <b>a</b>: logit 2")
    page.close()
