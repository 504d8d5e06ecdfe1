"""Draw the figures of README.md and docs again from the results of the whole study.

``python workflow/tools/pages.py`` copies ``docs/figures/<study>-<figure>.png``, where a page shows one, from those
of the study, and runs the code of docs/after_the_run.md, which draws its own.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))


def python_of(text: str) -> list[str]:
    """Blocks of Python code of a page."""
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    for page in (Path("README.md"), *Path("docs").glob("*.md")):
        for study, figure in re.findall(r"figures/(\w+)-(\w+)\.png", page.read_text(encoding="utf-8")):
            shutil.copyfile(f"results/{study}/figures/{figure}.png", f"docs/figures/{study}-{figure}.png")
    exec("\n".join(python_of(Path("docs/after_the_run.md").read_text(encoding="utf-8"))), {})
