"""Put tables, figures with captions, runtimes and configuration of all studies on one page that needs no other file."""

import base64
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined

from dbd.build.system import build_network
from dbd.files.benchmarks import costs_of_rules, read_runtimes
from dbd.files.netcdf import provenance, replacing
from dbd.files.tables import read_table
from dbd.job import job

UNITS = {"wall": "wall time (s)", "processor": "processor time (s)", "memory": "largest memory (MB)"}


def table(frame):
    """A table as HTML, with a dash where there is nothing."""
    return frame.to_html(index=False, border=0, na_rep="–", float_format=lambda value: f"{value:.4g}")


def figure(path, captions):
    """Name, caption and picture of a figure; the picture as a data address."""
    picture = base64.b64encode(path.read_bytes()).decode()
    return {"name": path.stem, "caption": captions[path.stem], "picture": f"data:image/png;base64,{picture}"}


def section(study, settings, files, captions, jobs):
    """What the page shows of a study, from its products and its rows of the table of jobs."""
    files = [path for path in map(Path, files) if study in path.parts]
    return {
        "study": study,
        "title": settings["title"],
        "conserved": build_network(settings).conserved_quantities() if "lattice" in settings else (),
        "tables": [table(read_table(path)) for path in files if path.name.startswith("summary")],
        "figures": [figure(path, captions) for path in files if path.suffix == ".png"],
        "runtimes": table(costs_of_rules(jobs[jobs.study == study]).reset_index().rename(columns=UNITS)),
        "configuration": yaml.safe_dump(settings, sort_keys=False, default_flow_style=None, width=100),
    }


def make_report(page, studies, files, captions, jobs, made_by):
    """Return the page as text; `studies` are configurations by name, `made_by` is the provenance."""
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(page)
    sections = [section(study, settings, files, captions, jobs) for study, settings in studies.items()]
    return template.render(sections=sections, made_by=made_by)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        captions = {Path(path).stem: Path(path).read_text(encoding="utf-8") for path in snakemake.input.captions}
        text = make_report(
            Path(snakemake.input.page).read_text(encoding="utf-8"),
            snakemake.params.settings,
            snakemake.input.products,
            captions,
            read_runtimes(Path(snakemake.output[0]).with_name("benchmarks"), snakemake.input.benchmarks),
            provenance({"seed": snakemake.params.seed}),
        )
        with replacing(snakemake.output[0]) as partial:
            partial.write_text(text, encoding="utf-8")
