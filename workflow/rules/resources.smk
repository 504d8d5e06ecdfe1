# What jobs ask for, from what they have to do and what such jobs were measured to need (workflow/resources.yaml). Rules
# that say nothing are small in every study; for them the profile of a cluster has default-resources.

import math

import yaml
from dbd.study import job_costs as costs

NEEDS = yaml.safe_load((WORKFLOW / "resources.yaml").read_text(encoding="utf-8"))
MARGIN = {"memory": 1.5, "processor": 3}
START_MINUTES = 5  # imports, compilation, a slow file system


def need(rule, what, wildcards):
    """Estimated memory (MB) or processor time (s) of a job."""
    work = costs.WORK[rule](STUDIES[wildcards.study], dict(wildcards.items()))
    return costs.estimate(NEEDS[rule][what], work)


def cores(rule):
    """Threads of a rule's jobs: one, and more for long jobs."""
    return lambda wildcards: costs.cores(need(rule, "processor", wildcards))


def needs(rule):
    """Memory (MB) and run time (minutes) of a rule's jobs, more with each attempt."""

    def memory(wildcards, attempt):
        return attempt * math.ceil(MARGIN["memory"] * need(rule, "memory", wildcards))

    def minutes(wildcards, threads, attempt):
        seconds = MARGIN["processor"] * need(rule, "processor", wildcards) / threads
        return attempt * math.ceil(START_MINUTES + seconds / 60)

    return {"mem_mb": memory, "runtime": minutes}
