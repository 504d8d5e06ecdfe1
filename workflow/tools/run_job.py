"""Run the script of one job in this Python process, to follow it in a debugger or a profiler.

    python workflow/tools/run_job.py results/annihilation/models/visible/test.nc
    python -m pdb workflow/tools/run_job.py results/smoke/annihilation/summary.csv config/smoke.yaml

Takes a file that a rule makes, and configuration files to lay over ``config/config.yaml``. The inputs of the job must
exist. Its outputs are made in their places; Snakemake keeps no record of it.
"""

import os
import runpy
import sys
from pathlib import Path

from snakemake.api import Workflow
from snakemake.dag import DAG
from snakemake.exceptions import WorkflowError
from snakemake.iocontainers import Snakemake
from snakemake.jobs import Job
from snakemake.settings import types as settings

ROOT = Path(__file__).parents[2]


def load(*configurations: Path, snakefile: Path = ROOT / "Snakefile") -> Workflow:
    """Return the workflow with all its rules, as Snakemake reads it in this folder."""
    workflow = Workflow(
        config_settings=settings.ConfigSettings(configfiles=configurations),
        resource_settings=settings.ResourceSettings(cores=os.cpu_count()),
        workflow_settings=settings.WorkflowSettings(),
        storage_settings=settings.StorageSettings(),
        dag_settings=settings.DAGSettings(),
        deployment_settings=settings.DeploymentSettings(),
        storage_provider_settings={},
        logger_manager=None,
    )
    workflow.include(snakefile)
    workflow.global_resources = {}
    return workflow


def find(workflow: Workflow, output: str) -> Job:
    """Return the job that makes a file; raises WorkflowError unless there is just one."""
    makers = [rule for rule in workflow.rules if rule.is_producer(output)]
    if len(makers) != 1:
        raise WorkflowError(f"{output}: got {len(makers)} rules that make it, expected one")
    rule = makers[0]
    return Job(rule, DAG(workflow, rules=[rule]), rule.get_wildcards(output))


def script_of(job: Job) -> Path:
    """Script of a job."""
    return Path(str(job.rule.basedir.join(job.rule.script.format(wildcards=job.wildcards))))


def run(job: Job) -> None:
    """Run the script of a job here and now."""
    script = script_of(job)
    for path in (*job.output, *job.log):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    words = (job.input, job.output, job.params, job.wildcards, job.threads, job.resources, job.log)
    snakemake = Snakemake(*words, job.rule.workflow.config, job.rule.name, None, str(script.parent))
    sys.path.insert(0, str(script.parent))
    runpy.run_path(str(script), {"snakemake": snakemake}, "__main__")


if __name__ == "__main__":
    try:
        run(find(load(*map(Path, sys.argv[2:])), sys.argv[1]))
    except WorkflowError as error:
        sys.exit(f"Error: {error}")
