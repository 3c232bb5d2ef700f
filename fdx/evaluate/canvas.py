"""The common look of every figure, and how figures leave the program.

Figures are made with matplotlib's object interface on the Agg canvas: no pyplot, hence no global state, no window
system, and no figure that lives on after its last reference.
"""

from __future__ import annotations

import base64
import io
import os

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fdx.files import atomic_write_bytes

# Okabe and Ito, "Color universal design", 2008: told apart under every common colour vision; yellow and black are left
# out, the one too pale for thin marks on white, the other kept for text.
PALETTE = ('#0072B2', '#E69F00', '#009E73', '#D55E00', '#56B4E9', '#CC79A7', '#555555')
MARKERS = ('o', '^', 's', 'D', 'v', 'P', 'X')
INK = '#1f2933'
MUTED = '#66717d'
GRID = '#e3e7eb'
DPI = 130


def class_style(index: int) -> tuple[str, str]:
    """Colour and marker of a class; the pair is distinct for 49 classes, not by colour alone after the seventh."""
    return PALETTE[index % len(PALETTE)], MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty white figure of that size in inches, with its Agg canvas and a layout that keeps labels apart."""
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, facecolor='white', layout='constrained')
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: Axes, title: str = '', x_label: str = '', y_label: str = '', grid: str | None = None) -> None:
    """Gives an axis the common look.

    Args:
      axes: the axis.
      title: heading, flush left; empty for none.
      x_label: label of x, with its unit.
      y_label: label of y, with its unit.
      grid: 'x', 'y' or 'both' draws quiet lines behind the data.
    """
    axes.set_title(title, loc='left', fontsize=10, fontweight='bold', color=INK)
    axes.set_xlabel(x_label, fontsize=9, color=INK)
    axes.set_ylabel(y_label, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=MUTED, labelcolor=INK, length=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ('left', 'bottom'))
        spine.set_color(MUTED)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)


def add_title(figure: Figure, title: str) -> None:
    """A heading over the whole figure, in the common look."""
    figure.suptitle(title, fontsize=11, fontweight='bold', color=INK, x=0.01, ha='left')


def figure_to_png(figure: Figure) -> bytes:
    """The figure as a PNG; the same figure gives the same bytes (no date, no version inside).

    The layout is settled on the first call: matplotlib's solver starts from where it last stopped, so that each
    drawing would else move the axes by a hair.
    """
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine('none')
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=DPI, metadata={'Software': None})
    return buffer.getvalue()


def figure_to_data_uri(figure: Figure) -> str:
    """The figure as a `data:image/png;base64,...` address, for a page that must stand alone."""
    return 'data:image/png;base64,' + base64.b64encode(figure_to_png(figure)).decode('ascii')


def save_png(figure: Figure, path: str | os.PathLike) -> None:
    """Writes the figure as a PNG, completely or not at all.

    Raises:
      FileWriteError: the file cannot be written.
    """
    atomic_write_bytes(path, figure_to_png(figure))
