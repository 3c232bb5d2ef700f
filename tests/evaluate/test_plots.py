import base64
import os
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage

from fdx.evaluate import plots
from fdx.evaluate.canvas import class_style
from fdx.types import DataError

PNG = b'\x89PNG\r\n\x1a\n'


def texts(axes):
    return [text.get_text() for text in axes.texts]


def image_of(axes):
    return next(child for child in axes.get_children() if isinstance(child, AxesImage))


def test_confusion_shows_counts_and_row_percentages():
    axes = plots.plot_confusion(np.array([[3999, 1], [0, 0]]), ['a', 'b']).axes[0]
    assert texts(axes) == ['3,999\n> 99.9 %', '1\n< 0.1 %']
    axes = plots.plot_confusion(np.array([[3, 1], [199, 1]]), ['a', 'b']).axes[0]
    assert texts(axes) == ['3\n75 %', '1\n25 %', '199\n99.5 %', '1\n0.5 %']
    np.testing.assert_allclose(image_of(axes).get_array(), [[0.75, 0.25], [0.995, 0.005]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ['a', 'b']


def test_confusion_refuses_another_shape():
    with pytest.raises(DataError, match=r'shape \(3, 3\)'):
        plots.plot_confusion(np.zeros((2, 2), int), ['a', 'b', 'c'])


def test_history_draws_curves_and_marks_the_selected_epoch():
    history = [
        {'epoch': 1, 'train_loss': 2.0, 'validation_loss': 2.5, 'validation_accuracy': 0.4},
        {'epoch': 2, 'train_loss': 1.0, 'validation_loss': None, 'validation_accuracy': 0.5},
        {'epoch': 3, 'train_loss': 0.5, 'validation_loss': 1.5, 'validation_accuracy': 0.6, 'selected': True},
    ]
    loss, accuracy = plots.plot_history(history).axes
    lines = {line.get_label(): line for line in loss.lines}
    np.testing.assert_allclose(lines['training'].get_ydata(), [2, 1, 0.5])
    np.testing.assert_allclose(lines['validation'].get_xdata(), [1, 3])
    assert list(lines['kept: epoch 3'].get_xdata()) == [3, 3]
    assert [line.get_label() for line in accuracy.lines] == ['validation', 'kept: epoch 3']


def test_history_goes_by_step_where_there_are_no_epochs():
    assert plots.plot_history([{'step': 50, 'train_loss': 1.0}]).axes[0].get_xlabel() == 'step'
    with pytest.raises(DataError, match='empty'):
        plots.plot_history([])
    with pytest.raises(DataError, match="needs 'step'"):
        plots.plot_history([{'loss': 1.0}])


def test_per_class_shows_recall_and_absence():
    rows = [
        {'class': 'a', 'recall': 0.5, 'recall_interval': [0.2, 0.8], 'support': 4},
        {'class': 'b', 'recall': None, 'recall_interval': None, 'support': 0},
    ]
    axes = plots.plot_per_class({'per_class': rows}).axes[0]
    assert list(axes.lines[0].get_xdata()) == [0.2, 0.8]
    assert axes.lines[1].get_xdata()[0] == 0.5
    assert texts(axes) == ['50.0 %   n = 4', 'no windows']


def test_class_styles_are_distinct_for_fifteen_classes():
    assert len({class_style(i) for i in range(15)}) == 15
    assert all(to_hex(class_style(i)[0]) for i in range(15))


def test_png_and_data_uri_hold_the_same_picture(tmp_path):
    figure = plots.plot_confusion(np.eye(3, dtype=int), ['a', 'b', 'c'])
    plots.save_png(figure, tmp_path / 'c.png')
    data = (tmp_path / 'c.png').read_bytes()
    head, body = plots.figure_to_data_uri(figure).split(',')
    assert data.startswith(PNG)
    assert head == 'data:image/png;base64'
    assert base64.b64decode(body) == data
    assert os.listdir(tmp_path) == ['c.png']


def test_no_pyplot():
    import subprocess

    code = 'import sys, fdx.evaluate.plots; print("matplotlib.pyplot" in sys.modules)'
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == 'False'
