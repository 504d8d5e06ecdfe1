"""The JSON schema and the key table of the documentation are those of the configuration types."""

import json
import subprocess
import sys

from conftest import ROOT
from dbd.config import Study


def test_schema_and_key_table_are_in_step():
    done = subprocess.run([sys.executable, "workflow/schema.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_stale_schema_is_noticed(tmp_path):
    """The check fails, with one line that names the file, if the schema lacks a key."""
    for path in ("workflow/schema.py", "config/README.md", "config/schema/study.schema.json"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((ROOT / path).read_bytes())
    (tmp_path / "workflow" / "scripts").symlink_to(ROOT / "workflow" / "scripts")
    schema = tmp_path / "config" / "schema" / "study.schema.json"
    schema.write_text(schema.read_text().replace('"sweeps"', '"swoops"'))
    done = subprocess.run(
        [sys.executable, "workflow/schema.py", "--check"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("config/schema/study.schema.json is out of step; run `make schema`\n")


def test_every_key_is_explained():
    """Every key of the schema has a sentence, and no mapping takes keys that are not known."""
    schema = json.loads((ROOT / "config" / "schema" / "study.schema.json").read_text())
    for name, section in {"Study": Study.model_json_schema(), **schema["$defs"]}.items():
        assert section["additionalProperties"] is False, name
        for key, entry in section["properties"].items():
            referred = schema["$defs"].get(entry.get("$ref", "").rpartition("/")[2], {})
            assert (entry | referred)["description"].endswith("."), f"{name}.{key}"
