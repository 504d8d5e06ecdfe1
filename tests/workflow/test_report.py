"""The report holds everything on one page, which a browser shows without trouble on a phone and on a desk."""

import html
import json
import re
import shutil
import subprocess

import pandas as pd
import pytest
import yaml

from conftest import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --no-first-run "
    "--allow-file-access-from-files --enable-logging=stderr --virtual-time-budget=20000 --window-size=1600,900 "
    "--dump-dom"
).split()
# Shows a page in a frame of a given size, and reports what is visible as JSON once it has loaded.
FRAME = """<!doctype html><link rel=icon href=data:,>
<iframe src="{address}" width={width} height=844 frameborder=0></iframe>
<pre></pre><script>onload = () => {{
  const page = document.querySelector("iframe").contentDocument
  document.querySelector("pre").textContent = JSON.stringify({{
    overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    pictures: [...page.images].map(i => [i.alt, i.complete && i.naturalWidth, i.getBoundingClientRect().width]),
  }})
}}</script>"""


def look(page, width, folder):
    """Show a page in a headless browser: what overflows, the pictures, and what the console says."""
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(address=page.as_uri(), width=width))
    command = ["timeout", "-k", "5", "120", CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'data'}", frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = json.loads(html.unescape(re.search("<pre>(.*?)</pre>", done.stdout)[1]))
    return seen | {"console": re.findall(r".*CONSOLE.*", done.stderr)}


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
    for path in (ROOT / "workflow" / "report").rglob("*.rst"):
        assert not re.search(r"[`*{}]|::|:\w+:`|\n\n", path.read_text().strip()), path.name


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1440], ids=["phone", "desk"])
def test_browser_shows_every_picture(report, project, tmp_path, width):
    figures = {path.stem for path in project.results.glob("figures/*.png")}
    seen = look(report, width, tmp_path)
    assert seen["overflow"] == 0, "nothing sticks out"
    assert seen["console"] == []
    shown = {name: (natural, wide) for name, natural, wide in seen["pictures"]}
    assert set(shown) == figures
    for name, (natural, wide) in shown.items():
        assert natural > 300 and min(natural, width * 0.6) <= wide <= max(width, 640), name


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_browser_tells_of_trouble(tmp_path):
    """The test above can fail: a lost picture, a wide box and an error on the console are seen."""
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><img alt=lost src=lost.png><div style='width: 999px; height: 1px'></div>"
        "<script>console.error('trouble')</script>"
    )
    seen = look(page, 390, tmp_path)
    assert seen["overflow"] > 0
    assert seen["pictures"][0][:2] == ["lost", 0]
    assert any("trouble" in line for line in seen["console"])
