"""Put tables, figures with captions, runtimes and configuration of all studies on one page that needs no other file."""

import base64
from html import escape
from io import BytesIO
from pathlib import Path

import pandas as pd
import yaml
from jinja2 import Environment, StrictUndefined
from PIL import Image

from dbd.build.system import build_network
from dbd.closure.model import load
from dbd.evaluation.baselines import BASELINES
from dbd.files.benchmarks import costs_of_rules, read_runtimes
from dbd.files.netcdf import provenance, replacing
from dbd.files.tables import read_table
from dbd.job import job
from dbd.kinetics.moment_equations import FORMS, moment_equations

UNITS = {"wall": "wall time (s)", "processor": "processor time (s)", "memory": "largest memory (MB)"}


GIVEN = 1e-9  # relative error of what is given the true value
LEADING = (
    "moments",
    "held_out",
    "densities",
    "closure",
    "control",
)  # figures that say most, the first there is comes first


def table(frame):
    """A table as HTML, with a dash where there is nothing."""
    return frame.to_html(index=False, border=0, na_rep="–", float_format=lambda value: f"{value:.4g}")


def mean_errors(summary):
    """Error of every model of a summary, relative if known, the smallest first; and the noise of the data."""
    if "relative_rmse" in summary:
        first = summary[(summary.observable == "mean") & (summary.steps == summary.steps.iloc[0])]
        shown = first[first.kind.isin(["model", "baseline"])]
        return shown.set_index("model").relative_rmse.sort_values(), first.relative_noise.mean()
    return summary.groupby("model").error.mean().sort_values(), summary.noise.mean()


def headline(summary, titles):
    """Errors of all models of a summary in one sentence, the best first."""
    errors, noise = mean_errors(summary)
    listed = [f"{titles.get(name, name.replace('_', ' '))} <b>{error:.2g}</b>" for name, error in errors.items()]
    return f"Relative error on held-out runs: {'; '.join(listed)}. Noise of these runs {noise:.2g}."


def comparison(summary, titles):
    """Relative errors, a row for each model and a column for each observable, the best of a column in bold."""
    first = summary[summary.steps == summary.steps.iloc[0]]
    wide = first.pivot(index=["kind", "model"], columns="observable", values="relative_rmse")
    kinds = ("model", "oracle", "baseline", "floor")
    order = sorted(wide.index, key=lambda row: (kinds.index(row[0]), wide["mean"][row]))
    wide = wide.loc[order, first.observable.unique()]
    scored = wide[[kind in ("model", "baseline") for kind, _ in wide.index]]
    best = scored[scored > GIVEN].min()
    cells = wide.apply(
        lambda row: [f"<strong>{x:.4f}</strong>" if x == best[k] else f"{x:.4f}" for k, x in row.items()], axis=1
    )
    rows = [[titles.get(name, name.replace("_", " ")), kind, *cells[kind, name]] for kind, name in order]
    return pd.DataFrame(rows, columns=["model", "kind", *wide.columns]).to_html(index=False, border=0, escape=False)


def figure(path, captions):
    """Name, caption and picture of a figure; the picture as a data address, a sixth smaller than the file."""
    smaller = BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(smaller, "WEBP", lossless=True)
    text = base64.b64encode(smaller.getvalue()).decode()
    return {"name": path.stem, "caption": captions[path.stem], "picture": f"data:image/webp;base64,{text}"}


def network_of(settings):
    """Reactions of a study on a lattice, if they are known."""
    return build_network(settings) if "lattice" in settings and settings["reactions"] else None


def equations(study, settings, learned):
    """Titles of the moment equations and of each learned model, with what is known and what is learned in every form.

    Models are loaded from the files in `learned` that are theirs.
    """
    rows = []
    if network := network_of(settings):
        system = network, len(settings["lattice"]["shape"]), settings["ensemble"]["dt"]
        rows.append(("moment equations", [moment_equations(*system, form) for form in FORMS]))
    for path in map(Path, learned):
        if study in path.parts:
            model = load(path.parent)
            rows.append((model.title, [model.equations(form) for form in FORMS]))
    return rows


def section(study, settings, files, captions, jobs, known):
    """What the page shows of a study, from its products, its rows of the table of jobs and its equations."""
    files = [path for path in map(Path, files) if study in path.parts]
    summaries = [read_table(path) for path in files if path.name.startswith("summary")]
    pictures = sorted((path for path in files if path.suffix == ".png"), key=lambda path: rank(path.stem))
    titles = {name: escape(model.get("title") or name) for name, model in settings["models"].items()}
    titles |= {name: baseline.title for name, baseline in BASELINES.items()}
    network = network_of(settings)
    return {
        "study": study,
        "title": settings["title"],
        "equations": known,
        "conserved": network.conserved_quantities() if network else (),
        "headlines": [headline(summary, titles) for summary in summaries],
        "comparisons": [comparison(summary, titles) for summary in summaries if "relative_rmse" in summary],
        "tables": [table(summary) for summary in summaries],
        "figures": [figure(path, captions) for path in pictures],
        "runtimes": table(costs_of_rules(jobs[jobs.study == study]).reset_index().rename(columns=UNITS)),
        "configuration": yaml.safe_dump(settings, sort_keys=False, default_flow_style=None, width=100),
    }


def rank(name):
    """Place of a figure: the leading one first, the others as they come."""
    return LEADING.index(name) if name in LEADING else len(LEADING)


def make_report(page, studies, files, captions, jobs, made_by, known):
    """Return the page as text; `studies` are configurations, `known` their equations, `made_by` the provenance."""
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(page)
    sections = [section(study, settings, files, captions, jobs, known[study]) for study, settings in studies.items()]
    return template.render(sections=sections, made_by=made_by)


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        known = {
            study: equations(study, settings, snakemake.input.learned)
            for study, settings in snakemake.params.settings.items()
        }
        for study, rows in known.items():
            for title, forms in rows:
                log.info("%s: %s\n\n%s", study, title, "\n".join(forms))
        captions = {Path(path).stem: Path(path).read_text(encoding="utf-8") for path in snakemake.input.captions}
        text = make_report(
            Path(snakemake.input.page).read_text(encoding="utf-8"),
            snakemake.params.settings,
            snakemake.input.products,
            captions,
            read_runtimes(Path(snakemake.output[0]).with_name("benchmarks"), snakemake.input.benchmarks),
            provenance({"seed": snakemake.params.seed}),
            known,
        )
        with replacing(snakemake.output[0]) as partial:
            partial.write_text(text, encoding="utf-8")
