"""The JSON schema and the key table of the documentation are those of the configuration types."""

import json
import subprocess
import sys

import pytest

from conftest import ROOT
from dbd.study.continuum_study import ContinuumStudy
from dbd.study.lattice_study import Study

SCHEMAS = {
    "config/schema/study.schema.json": Study,
    "config/schema/continuum_study.schema.json": ContinuumStudy,
}


def test_schema_and_key_table_are_in_step():
    done = subprocess.run(
        [sys.executable, "workflow/tools/schema.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_stale_schema_is_noticed(tmp_path):
    """The check fails, with one line that names the file, if the schema lacks a key."""
    for path in ("workflow/tools/schema.py", "config/README.md", *SCHEMAS):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((ROOT / path).read_bytes())
    (tmp_path / "workflow" / "scripts").symlink_to(ROOT / "workflow" / "scripts")
    schema = tmp_path / "config" / "schema" / "study.schema.json"
    schema.write_text(schema.read_text().replace('"sweeps"', '"swoops"'))
    done = subprocess.run(
        [sys.executable, "workflow/tools/schema.py", "--check"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("config/schema/study.schema.json is out of step; run `make schema`\n")


@pytest.mark.parametrize(("file", "kind"), SCHEMAS.items())
def test_every_key_is_explained(file, kind):
    """Every key of the schema has a sentence, and no mapping takes keys that are not known."""
    schema = json.loads((ROOT / file).read_text())
    for name, section in {kind.__name__: kind.model_json_schema(), **schema["$defs"]}.items():
        assert section["additionalProperties"] is False, name
        for key, entry in section.get("properties", {}).items():
            referred = schema["$defs"].get(entry.get("$ref", "").rpartition("/")[2], {})
            assert (entry | referred)["description"].endswith("."), f"{name}.{key}"
