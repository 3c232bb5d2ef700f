"""What programs show."""

from __future__ import annotations

import io
import sys
import time

from launch.display import epoch_line, progress, table


def test_a_table_is_aligned_with_numbers_to_the_right():
    text = table(('class', 'recall %', 'n'), [('normal', '9.50', 3), ('inner_race', '100.00', 12)])
    assert text.split('\n') == [
        'class       recall %   n',
        '----------  --------  --',
        'normal          9.50   3',
        'inner_race    100.00  12',
    ]


def test_a_table_without_rows_is_its_header():
    assert table(('a', 'bc'), []) == 'a  bc\n-  --'


def test_an_epoch_is_one_line_with_every_number():
    row = {
        'epoch': 7,
        'train_loss': 0.12345,
        'train_accuracy': 0.9,
        'validation_loss': 1.5,
        'validation_accuracy': 1.0,
        'validation_macro_f1': 0.98765,
        'seconds': 3.14,
    }
    assert epoch_line(row) == (
        'epoch   7  train loss 0.1235 accuracy  90.00%  validation loss 1.5000 accuracy 100.00% macro F1 0.9877  3.1 s'
    )


def test_progress_passes_everything_on_and_keeps_standard_output_clean(capsys, monkeypatch):
    assert list(progress(range(3), desc='files', total=3)) == [0, 1, 2]
    assert capsys.readouterr().out == ''

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def slow_letters():
        for letter in 'ab':
            time.sleep(0.12)
            yield letter

    monkeypatch.setattr(sys, 'stderr', Terminal())
    assert list(progress(slow_letters(), desc='letters')) == ['a', 'b']
    shown = sys.stderr.getvalue()
    assert 'letters' in shown
    assert shown.endswith('\r') and shown.rstrip('\r').rpartition('\r')[2].strip() == ''
