"""Run Snakemake with one progress bar: ``python progress.py snakemake --cores 2 ...``.

The bar shows how many jobs are done and what was started last. Everything else that Snakemake says is kept in
``.snakemake/log``; errors are shown. Without a terminal there are plain lines, one for each job. A lock that a killed
run has left is taken away.
"""

import re
import subprocess
import sys
from pathlib import Path

from locks import Locked, only_run
from tqdm import tqdm

DONE = re.compile(r"^(\d+) of (\d+) steps \(")
STARTED = re.compile(r"^\s*(?:local)?(?:rule|Job \d+): (.+)$")
TROUBLE = re.compile(r"\s*(?:\w*(?:Error|Exception)\b|Traceback|Exiting)")


def main(command: list[str]) -> int:
    """Run a command line in this folder and return its exit code."""
    try:
        with only_run(Path.cwd(), lambda: subprocess.run([*command, "--unlock"], capture_output=True, check=True)):
            return shown(command)
    except Locked as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def shown(command: list[str]) -> int:
    """Run a command line, showing how far it is, and return its exit code."""
    terminal = sys.stderr.isatty()
    trouble = False
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
        tqdm(desc="jobs", unit="job", disable=not terminal, dynamic_ncols=True) as bar,
    ):
        for line in process.stdout:
            if done := DONE.match(line):
                bar.total = int(done[2])
                bar.update(int(done[1]) - bar.n)
                if not terminal:
                    print(line.rstrip(), flush=True)
            elif started := STARTED.match(line):
                bar.set_postfix_str(started[1][:60])
                if not terminal:
                    print(started[1], flush=True)
            elif trouble or TROUBLE.match(line):
                trouble = True
                bar.write(line.rstrip(), file=sys.stderr)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
