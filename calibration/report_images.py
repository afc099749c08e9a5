"""Figures as self-contained `<img>` elements, in one style."""

import base64
import io
from html import escape

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

MIN_TOPOGRAPHY = 8  # electrodes; a map drawn from fewer is mostly interpolation
STYLE = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": "#333333",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "axes.titlesize": 9.5,
    "legend.frameon": False,
    "svg.hashsalt": "afterimage",
}


def svg(figure: Figure, alternative: str) -> str:
    """The figure as lines; `alternative` says in words what it shows."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _image(buffer.getvalue(), "svg+xml", alternative)


def png(figure: Figure, alternative: str) -> str:
    """The figure as pixels, for surfaces."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, format="png", dpi=130)
    return _image(buffer.getvalue(), "png", alternative)


def picture(pixels: NDArray[np.uint8], alternative: str) -> str:
    """(height, width, 3) as they are."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="png")
    return _image(buffer.getvalue(), "png", alternative)


def _image(data: bytes, kind: str, alternative: str) -> str:
    encoded = base64.b64encode(data).decode()
    return f'<img class="plot" alt="{escape(alternative)}" src="data:image/{kind};base64,{encoded}">'
