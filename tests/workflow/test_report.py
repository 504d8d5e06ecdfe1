"""The report holds everything on one page, which a browser shows without trouble on a phone and on a desk."""

import re

import pandas as pd
import pytest
import yaml
from browser import CHROMIUM, browser

from conftest import ROOT

PICTURES = "[...document.images].map(i => [i.alt, i.complete && i.naturalWidth, i.getBoundingClientRect().width])"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def report(project):
    """The report of the smoke study."""
    return project.root / "results" / "smoke" / "report.html"


def test_everything_is_on_the_page(report, project):
    text = report.read_text()
    figures = {path.stem for path in project.results.glob("figures/*.png")}
    assert set(re.findall(r'alt="(\w+)"', text)) == figures
    for figure in figures:
        caption = (ROOT / "workflow" / "report" / f"{figure}.rst").read_text().strip()
        assert caption in text.replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">")
    summary = pd.read_csv(project.results / "summary.csv")
    assert all(f"<td>{value:.4g}</td>" in text for value in summary.rmse)
    for rule in ("simulate_ensemble", "learn_contrastive", "plot_rmse"):
        assert f"<td>{rule}</td>" in text, "runtimes"
    configuration = re.search(r"<pre>(title:.*?)</pre>", text, re.DOTALL)[1]
    assert yaml.safe_load(configuration.replace("&gt;", ">").replace("&#39;", "'"))["lattice"]["shape"] == [100]
    assert "seed: 20190624" in text


def test_page_needs_no_other_file(report):
    addresses = re.findall(r'(?:src|href)="([^"]{0,40})', report.read_text())
    assert len(addresses) > 10
    assert all(address.startswith(("data:", "#")) for address in addresses)


def test_captions_are_plain_text():
    """They are shown as they are, by this page and by Snakemake's report."""
    for path in (ROOT / "workflow" / "report").glob("*.rst"):
        assert not re.search(r"[`*{}]|::|:\w+:`|\n\n", path.read_text().strip()), path.name


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_browser_shows_every_picture(report, project, tmp_path):
    figures = {path.stem for path in project.results.glob("figures/*.png")}
    with browser(tmp_path) as page:
        for width, height, mobile in ((390, 844, True), (1440, 900, False)):
            page.open(report.as_uri(), width, height, mobile)
            assert page.evaluate("innerWidth") == width, "the page is as wide as the window"
            assert page.evaluate(OVERFLOW) == 0, "nothing sticks out"
            shown = {name: (natural, wide) for name, natural, wide in page.evaluate(PICTURES)}
            assert set(shown) == figures
            for name, (natural, wide) in shown.items():
                assert natural > 300 and min(natural, width * 0.6) <= wide <= width, name
            assert page.troubles() == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_browser_tells_of_trouble(tmp_path):
    """The test above can fail: a broken picture, a wide one and an error on the console are seen."""
    page_file = tmp_path / "page.html"
    page_file.write_text(
        "<link rel=icon href=data:,><img alt=lost src=lost.png><div style='width: 999px; height: 1px'></div>"
        "<script>console.error('trouble')</script>"
    )
    with browser(tmp_path / "data") as page:
        page.open(page_file.as_uri(), 390, 844, True)
        assert page.evaluate(OVERFLOW) > 0 or page.evaluate("innerWidth") != 390
        assert page.evaluate(PICTURES)[0][:2] == ["lost", 0]
        methods = {event["method"] for event in page.troubles()}
        assert {"Runtime.consoleAPICalled", "Network.loadingFailed"} <= methods
