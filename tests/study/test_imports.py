"""The walk of imports sees every dependency, and the library keeps to the rules that make this so."""

import sys

import pytest

from conftest import ROOT
from dbd.study.imports import HiddenImport, imports, library_files, walk

sys.path.insert(0, str(ROOT / "workflow" / "tools"))

import folders

SCRIPTS = ROOT / "workflow" / "scripts"
FILES = [file for file in sorted([*SCRIPTS.glob("*.py"), *SCRIPTS.glob("dbd/**/*.py")]) if file.name != "__init__.py"]

LIBRARY = {
    "dbd/__init__.py": '"""The library.\n\nlow   below\nhigh  above\n"""\n',
    "dbd/low/__init__.py": '"""Below."""\n',
    "dbd/low/a.py": "import numpy.linalg\n",
    "dbd/low/b.py": "from dbd.low import a\n",
    "dbd/high/__init__.py": '"""Above."""\n',
    "dbd/high/c.py": "import dbd.low.b\nfrom scipy import fft\nimport json\n",
    "script.py": "def work():\n    from dbd.high.c import something\n",
}


@pytest.fixture
def plant(tmp_path):
    """Write a small library, with some files changed, and return its folder."""

    def plant(**changes):
        for name, text in (LIBRARY | {f"{name.replace('__', '/')}.py": text for name, text in changes.items()}).items():
            path = tmp_path / name.replace("/init.py", "/__init__.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return plant


def needed(root, script="script.py"):
    """Names of the library files that a script needs."""
    return {str(path.relative_to(root)) for path in library_files(root / script)}


def test_dependencies_of_dependencies(plant):
    root = plant()
    assert needed(root) == {"script.py", "dbd/high/c.py", "dbd/low/b.py", "dbd/low/a.py"}
    assert walk(root / "script.py", root).packages == {"numpy", "scipy"}


def test_circles_end(plant):
    root = plant(dbd__low__a="import dbd.high.c\n")
    assert needed(root) == {"script.py", "dbd/high/c.py", "dbd/low/b.py", "dbd/low/a.py"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dbd__high__c": "from . import d\n"}, "line 1: got a relative import, expected an absolute one"),
        ({"dbd__high__c": "from ..low.a import x\n"}, "got a relative import"),
        ({"dbd__low__init": "from dbd.low.a import x\n"}, "low/__init__.py: got code or nothing"),
        ({"dbd__low__init": '"""Below."""\nX = 1\n'}, "low/__init__.py: got code or nothing"),
        ({"dbd__init": ""}, "dbd/__init__.py: got code or nothing"),
        ({"dbd__high__c": "from dbd.low import nothing\n"}, "got nothing, expected a module"),
        ({"dbd__high__c": "from dbd.low import *\n"}, r"got \*, expected a module"),
        ({"dbd__high__c": "import dbd.low.missing\n"}, "got missing, expected a module"),
    ],
)
def test_hidden_imports_are_refused(plant, change, message):
    with pytest.raises(HiddenImport, match=message):
        needed(plant(**change))


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(SCRIPTS)) for file in FILES])
def test_no_import_is_hidden(file):
    imports(file, SCRIPTS)


def test_packages_hold_a_docstring_only():
    """Also those that nothing is imported from."""
    for file in SCRIPTS.glob("dbd/**/__init__.py"):
        assert file.read_text().count('"""') == 2 and file.read_text().strip().endswith('"""'), file


def test_imports_point_one_way():
    assert folders.upwards() == []


def test_arrow_that_points_up_is_caught(plant):
    root = plant(dbd__low__a="import dbd.high.c\n", dbd__lost__init='"""Lost."""\n', dbd__lost__d="")
    assert folders.upwards(root) == ["lost: not in the map of dbd/__init__.py", "low uses high, which is above it"]


def test_no_script_imports_a_script():
    scripts = {*SCRIPTS.glob("*.py")}
    assert [file.name for file in scripts if imports(file, SCRIPTS).files & scripts] == []


def test_document_has_the_table_of_folders():
    text = folders.DOCUMENT.read_text()
    assert folders.document(text) == text, "python workflow/tools/folders.py writes it"
