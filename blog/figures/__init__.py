"""One quiet look for every figure, in light and in dark.

Training    learning_curves, gradients
Answers     comparison, confusion, calibration, precision_recall, roc
Pictures    errors, samples, latent_map
Your own    from_axes

A Figure is drawn twice, as SVG with real text on a transparent background; a Sheet is one image of
many pictures. Both travel with their data and with a sentence for those who cannot see them. The
same values give the same bytes: no date, no random identifier, coordinates rounded to a hundredth
of a point.
"""

from blog.figures.classes import confusion
from blog.figures.figure import Figure, Sheet, from_axes
from blog.figures.latent import latent_map
from blog.figures.probabilities import calibration
from blog.figures.rankings import precision_recall, roc
from blog.figures.scores import comparison
from blog.figures.sheets import errors, samples
from blog.figures.training import gradients, learning_curves

__all__ = [
    "Figure",
    "Sheet",
    "calibration",
    "comparison",
    "confusion",
    "errors",
    "from_axes",
    "gradients",
    "latent_map",
    "learning_curves",
    "precision_recall",
    "roc",
    "samples",
]
