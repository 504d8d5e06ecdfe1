"""The page on runs of one's own: its table and its study, from raw file to summary, and what it says of wrong files."""

import re

import pandas as pd

from conftest import ROOT

PAGE = (ROOT / "docs" / "your_data.md").read_text()
BLOCKS = dict(re.findall(r"^```(python|yaml)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def test_page(project, monkeypatch):
    """A file that turns wrong stops the study in one line; its results stay, and nothing else is made."""
    assert len(BLOCKS) == PAGE.count("```") / 2
    monkeypatch.chdir(project.root)
    exec(BLOCKS["python"], {})
    (project.root / "config" / "studies" / "my_data.yaml").write_text(BLOCKS["yaml"])
    results = project.root / "results" / "smoke" / "my_data"
    target = str((results / "summary.csv").relative_to(project.root))
    code, said = project.run(target)
    assert code == 0, said
    summary = pd.read_csv(results / "summary.csv")
    errors = summary[summary.observable == "mean"].set_index("model").relative_rmse
    assert set(errors.index) == {"pairs", "independent_sites", "noise"}
    assert errors["pairs"] < 0.1
    before = {path: path.read_bytes() for path in results.rglob("*") if path.suffix in (".nc", ".csv")}

    table = pd.read_csv("test.csv")
    table[(table.run != 7) | (table.initial_condition != 2)].to_csv("test.csv", index=False)
    with (project.root / "train.csv").open("a") as file:
        file.write("0.5,A,1.0,4,19\n0.5,A,1.0,4,19\n")
    code, said = project.run(target, "--keep-going")
    lines = {line for line in said.splitlines() if line.startswith("Error: ")}
    assert code != 0
    assert any(line.startswith("Error: test.csv: runs: got 19 of initial condition 2 (1 of 3 ") for line in lines), (
        lines
    )
    assert any(line.startswith("Error: train.csv: sites: got ") for line in lines), lines
    assert len(lines) == 2
    after = {path: path.read_bytes() for path in results.rglob("*") if path.suffix in (".nc", ".csv")}
    assert {path.parent.name for path in before if before[path] != after.get(path)} == {"ensemble"}
    (project.root / "test.csv").unlink()
    code, said = project.run("my_data")
    assert code != 0
    assert "source.files.test: test.csv: no such file" in said
