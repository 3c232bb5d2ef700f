"""The common look of every figure, and how figures leave the program.

Figures are made with matplotlib's object interface on the Agg canvas: no pyplot, hence no global state, no window
system, and no figure that lives on after its last reference.
"""

from __future__ import annotations

import base64
import functools
import io
import os
import warnings
import weakref
from collections.abc import Iterable
from typing import Literal

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from fdx.files import atomic_write_bytes

# Okabe and Ito, "Color universal design", 2008: told apart under every common colour vision; yellow and black are left
# out, the one too pale for thin marks on white, the other kept for text.
PALETTE = ('#0072B2', '#E69F00', '#009E73', '#D55E00', '#56B4E9', '#CC79A7', '#555555')
MARKERS = ('o', '^', 's', 'D', 'v', 'P', 'X')
INK = '#1f2933'
MUTED = '#66717d'
GRID = '#e3e7eb'
DPI = 130
LAYOUT: Literal['constrained'] | None = 'constrained'
MAX_NAME = 40
_DRAWN: weakref.WeakKeyDictionary[Figure, bytes] = weakref.WeakKeyDictionary()
# Fonts with Chinese, Japanese and Korean glyphs as systems have them; matplotlib's own has none.
WIDE_FONTS = (
    'Noto Sans CJK SC', 'Noto Sans CJK JP', 'Source Han Sans SC', 'WenQuanYi Zen Hei', 'WenQuanYi Micro Hei',
    'Microsoft YaHei', 'SimHei', 'PingFang SC', 'Hiragino Sans', 'Droid Sans Fallback', 'Arial Unicode MS',
)  # fmt: skip


def class_style(index: int) -> tuple[str, str]:
    """Colour and marker of a class. The pair is distinct for 49 classes; the colour alone repeats after the seventh."""
    return PALETTE[index % len(PALETTE)], MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty white figure of that size in inches, with its Agg canvas and a layout that keeps labels apart."""
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, facecolor='white', layout=LAYOUT)
    FigureCanvasAgg(figure)
    return figure


def style_axes(
    axes: Axes, title: str = '', x_label: str = '', y_label: str = '', grid: Literal['x', 'y', 'both'] | None = None
) -> None:
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


def plain(name: object) -> str:
    """A user's name as a plot shows it: on one line, of at most 40 characters.

    A legend leaves out what begins with an underscore; a space before it is not seen.
    """
    text = ' '.join(_drawable(str(name)).split())
    if len(text) > MAX_NAME:
        text = f'{text[: MAX_NAME // 2]}...{text[3 - MAX_NAME // 2 :]}'
    return f' {text}' if text.startswith('_') else text


def plain_names(names: Iterable[object]) -> list[str]:
    """`plain` of each."""
    return [plain(name) for name in names]


def _drawable(text: str) -> str:
    """Replaces what cannot be drawn, such as the bytes of a file's name in another encoding."""
    return text.encode('utf-8', 'replace').decode('utf-8')


@functools.cache
def _wide_fonts() -> tuple[str, ...]:
    there = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in WIDE_FONTS if name in there)


def _take_literally(figure: Figure) -> None:
    """Shows texts as they are: a `$` in a user's name begins no formula, and what no font has is a box.

    The ticks of logarithmic axes are formulas of matplotlib's own, and stay.
    """
    own: set[int] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() != 'linear':
                own |= {id(text) for text in axis.findobj(Text)}
    for text in figure.findobj(Text):
        if id(text) in own:
            continue
        text.set_parse_math(False)
        words = text.get_text()
        if not words.isascii():
            text.set_text(_drawable(words))
            text.set_fontfamily([*text.get_fontfamily(), *_wide_fonts()])


def figure_to_png(figure: Figure) -> bytes:
    """The figure as a PNG; the same figure gives the same bytes (no date, no version inside).

    A page shows each figure and keeps it as a file beside: it is drawn once, and again only after a change, of which
    matplotlib keeps account in `stale`. Drawing takes most of the time of an evaluation.

    The layout is settled on the first call: matplotlib's solver starts from where it last stopped, so that each
    drawing would else move the axes by a hair.
    """
    if figure in _DRAWN and not figure.stale:
        return _DRAWN[figure]
    _take_literally(figure)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Glyph .* missing from font')
        # Names too long for the figure: it is drawn, with the axes beneath them.
        warnings.filterwarnings('ignore', 'constrained_layout not applied')
        layout = figure.get_layout_engine()
        if layout is not None:
            if figure.axes:
                layout.execute(figure)
            figure.set_layout_engine('none')
        figure.set_dpi(DPI)
        # Not `savefig`, which goes through all texts once more before it draws them.
        FigureCanvasAgg(figure).print_png(buffer, metadata={'Software': None})
    _DRAWN[figure] = buffer.getvalue()
    return _DRAWN[figure]


def figure_to_data_uri(figure: Figure) -> str:
    """The figure as a `data:image/png;base64,...` address, for a page that must stand alone."""
    return 'data:image/png;base64,' + base64.b64encode(figure_to_png(figure)).decode('ascii')


def save_png(figure: Figure, path: str | os.PathLike) -> None:
    """Writes the figure as a PNG, completely or not at all.

    Raises:
      FileWriteError: the file cannot be written.
    """
    atomic_write_bytes(path, figure_to_png(figure))
