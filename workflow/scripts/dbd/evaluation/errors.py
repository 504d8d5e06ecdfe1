"""Errors of predicted moments against simulated ones."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def errors_per_step(
    predicted: np.ndarray, simulated: np.ndarray, sem: np.ndarray, observables: Sequence[str]
) -> pd.DataFrame:
    """Error of one model at each step.

    Parameters
    ----------
    predicted, simulated, sem
        Predicted means, simulated means and their standard errors, counts; shape (initial condition, time, observable).
    observables
        Their names.

    Returns
    -------
    One row per observable and step: ``rmse`` over initial conditions, ``noise`` (the standard error of the simulated
    means, root mean square over initial conditions) and ``range`` of the simulated means over all initial conditions
    and steps.
    """
    columns = {
        "rmse": np.sqrt(np.mean((predicted - simulated) ** 2, axis=0)),
        "noise": np.sqrt(np.mean(sem**2, axis=0)),
        "range": np.broadcast_to(np.ptp(simulated, axis=(0, 1)), predicted.shape[1:]),
    }
    steps = np.arange(predicted.shape[1])
    frame = pd.DataFrame({name: table.T.ravel() for name, table in columns.items()})
    frame.insert(0, "observable", np.repeat(list(observables), len(steps)))
    frame.insert(1, "step", np.tile(steps, len(observables)))
    return frame


def summarise(
    predicted: np.ndarray,
    simulated: np.ndarray,
    sem: np.ndarray,
    observables: Sequence[str],
    average: str,
    std: tuple[np.ndarray, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Error of one model over all steps given.

    Parameters
    ----------
    predicted, simulated, sem, observables
        As in `errors_per_step`.
    average
        Over steps: ``mean`` of the RMSE per step, or ``root_mean_square``.
    std
        Predicted and simulated standard deviations between runs, of the same shape; None if there are no predicted.

    Returns
    -------
    One row per observable: ``rmse``, ``relative_rmse`` (by the range), ``relative_each`` (mean over the initial
    conditions in which the observable changes of each one's error by its own range), ``median`` and ``worst`` over
    initial conditions (of each one's error averaged over steps the same way), ``noise`` and ``relative_noise``,
    ``relative_std`` (root mean square error of the standard deviations by the mean simulated one). A last row,
    ``mean``, has the means of these over the observables.
    """
    steps = errors_per_step(predicted, simulated, sem, observables)
    grouped = steps.groupby("observable", sort=False)
    over_steps = {"mean": lambda x: x.mean(), "root_mean_square": lambda x: np.sqrt((x**2).mean())}[average]
    each = np.abs(predicted - simulated)
    each = each.mean(axis=1) if average == "mean" else np.sqrt((each**2).mean(axis=1))
    frame = grouped[["rmse", "noise"]].agg(over_steps)
    scale = grouped["range"].first()
    frame.insert(1, "relative_rmse", frame["rmse"] / scale)
    own = np.ptp(simulated, axis=1)
    frame.insert(2, "relative_each", np.ma.mean(np.ma.masked_array(each, own == 0) / own, axis=0).filled(np.nan))
    frame.insert(3, "median", np.median(each, axis=0))
    frame.insert(4, "worst", each.max(axis=0))
    frame["relative_noise"] = frame["noise"] / scale
    frame["relative_std"] = np.nan
    if std is not None:
        error, size = std[0] - std[1], std[1].mean(axis=(0, 1))
        frame["relative_std"] = np.sqrt((error**2).mean(axis=(0, 1))) / np.where(size > 0, size, np.nan)
    frame.loc["mean"] = frame.mean(skipna=False)
    return frame.reset_index()
