"""How sure learned functions are: draws from the law of their error, by the sandwich over clusters of data.

Around the minimum the action S with its penalty has the Gauss-Newton curvature A = sum_r H_r + L, with H_r that of
cluster r and L that of the penalty, which is the precision of a normal prior. With the gradients g_r of the clusters
the error of the coefficients has the covariance

    A^-1 (sum_r s_r s_r^T + L) A^-1,      s_r = (1 - H_r A^-1)^-1 g_r

(Huber 1967, White 1982; s_r is the score of cluster r where the others put the functions, the correction CR3 of Bell
and McCaffrey 2002). A^-1 s_r = (A - H_r)^-1 g_r is by how much the functions change when cluster r is left out: the sum
is a jackknife. Data enter by how trajectories miss them, so this has in it that errors of the same runs at consecutive
times belong together, and what the family cannot do. Were all differences independent and as large as the metric says,
it would be A^-1, Laplace's approximation. What no datum says anything about keeps the prior.

A few clusters do not say exactly how large errors are: draws are wider, as Student's law is for bands of 90 %. They are
draws in the quadratic model of the action, so what follows from them has to be taken in proportion to small changes.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm, t

DRAWS = 40
NORMAL = norm.ppf(0.95)  # half the width of a band of 90 %, in standard deviations


def drawn(
    point: np.ndarray, curvature: np.ndarray, left_out: np.ndarray, root: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Draws of n coefficients around a minimum; float64, (DRAWS, n).

    Parameters
    ----------
    point
        The minimum, (n,).
    curvature
        A, (n, n).
    left_out
        Changes (A - H_r)^-1 g_r when a cluster is left out, (clusters, n); two clusters or more.
    root
        Root of the precision of the prior, (n, n): L = root root^T.
    generator
        Stream of the draws.
    """
    wider = t.ppf(0.95, len(left_out) - 1) / NORMAL
    noise = wider * generator.normal(size=(DRAWS, len(left_out))) @ left_out
    prior = root @ generator.normal(size=(len(point), DRAWS))
    return point + noise + cho_solve(cho_factor(curvature), prior).T
