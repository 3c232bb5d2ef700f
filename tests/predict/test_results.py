"""The one face of results: label, probabilities, windows, reason, to_dict and plot; networks, fault orders, tables."""

from __future__ import annotations

import dataclasses
import json
import math
import sys

import numpy as np
import pytest

from fdx.files import to_jsonable
from fdx.predict.diagnosis import Diagnosis
from fdx.predict.figure import COLUMNS, extremes, plot_result
from fdx.predict.findings import Findings
from fdx.predict.load import load_predictor, load_single
from fdx.predict.zero_shot import diagnose_zero_shot, zero_shot
from fdx.signal.bearings import BEARINGS
from fdx.types import CheckpointError, ConfigError, Recording


def sine(seconds=3.0, rate_hz=1000.0, **fields) -> Recording:
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((int(seconds * rate_hz), 1)).astype(np.float32)
    return Recording(samples, rate_hz, 'pump', '', '', '', '', **{'source': 'pump.csv', 'unit': 'g', **fields})


def network(faults=('', '', ''), recording=None, threshold=None) -> Diagnosis:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]], np.float32)
    starts = np.array([0.0, 1.0, 2.0])
    findings = Findings(faults, notes=('a note',))
    return Diagnosis('pump.csv', starts, 1.0, probabilities, ['ok', 'worn'], threshold, findings, recording)


def test_a_network_has_a_label_mean_probabilities_and_a_row_per_window():
    result = network()
    assert (result.label, result.reason) == ('ok', None)
    assert result.probabilities == pytest.approx({'ok': 0.6, 'worn': 0.4})
    assert [w['predicted'] for w in result.windows] == ['ok', 'worn', 'ok']
    assert [*result.windows, result.summary] == result.rows()
    assert network(threshold=0.35).label == 'worn'
    found = result.to_dict()
    assert (found['file'], found['label'], found['probabilities']) == ('pump.csv', 'ok', result.probabilities)
    assert found['summary']['notes'] == ['a note'] and len(found['windows']) == 3
    assert json.loads(json.dumps(to_jsonable(found), allow_nan=False)) == found


def test_without_a_verdict_the_label_is_none_and_the_reason_says_why():
    result = network(('dead', 'dead', ''))
    assert (result.label, result.probabilities) == (None, None)
    assert '1 of 3 windows can be used' in result.reason
    assert result.windows[0]['probabilities'] is None or result.windows[0]['reason']
    assert '<Diagnosis of pump.csv: no verdict: 1 of 3' in repr(result)


def test_a_diagnosis_without_training_has_the_same_face():
    healthy = sine(6.0, 12000.0, speed_rpm=1772.0, geometry=BEARINGS['skf_6205'])
    result = zero_shot(healthy)
    assert result.label in ('normal', None) and result.probabilities['normal'] > 0.3
    assert result.windows == [] and result.recording.samples is healthy.samples
    assert result.rows() == diagnose_zero_shot(healthy).rows()
    bare = dataclasses.replace(healthy, speed_rpm=math.nan, geometry=None)
    assert zero_shot(bare, bearing='skf_6205', speed_rpm=1772).rows() == result.rows()
    assert zero_shot(bare, bearing=BEARINGS['skf_6205'], speed_rpm='1772').rows() == result.rows()
    assert result.series().values.shape == (48, 3)
    assert len(result.plot().axes) == 2


def test_options_that_would_be_ignored_are_refused():
    recording = sine(6.0, 12000.0)
    for options, words in (
        ({'sample_rate_hz': 12000.0}, '`sample_rate_hz`: says how a file is read'),
        ({'variable': 'x', 'channel': 0}, '`variable`, `channel`: says how'),
        ({'speed_rpm': 1772.0, 'speed_range_rpm': (1000.0, 2000.0)}, '`speed_range_rpm`=.* goes with `speed_rpm`'),
        ({'speed_rpm': -3.0}, '`speed_rpm`=-3.0: a number above 0'),
        ({'speed_rpm': 'fast'}, '`speed_rpm`=fast: a number above 0'),
        ({'hop_s': 0.5, 'speed_rpm': 1772.0}, '`hop_s`=0.5: .* as a whole'),
        ({'bearing': 'skf_1'}, "bearing 'skf_1' is unknown"),
    ):
        with pytest.raises(ConfigError, match=words):
            zero_shot(recording, **options)
    with pytest.raises(ConfigError, match='an array does not tell its sampling rate'):
        zero_shot(recording.samples)


def test_a_checkpoint_diagnoses_a_recording_and_refuses_what_it_does_not_read(run, two_folds, rig):
    predictor = load_single(run)
    recording = next(iter(rig.recordings(['rig_b'])))
    result = predictor.diagnose(recording)
    assert result.label in rig.CLASSES and len(result.windows) == 5
    assert result.probabilities == result.summary['mean_probabilities']
    assert result.recording.samples is recording.samples
    with pytest.raises(ConfigError, match='`bearing` and `speed_rpm`: .*front end vggish'):
        predictor.diagnose(recording, speed_rpm=1500.0, bearing='skf_6205')
    with pytest.raises(ConfigError, match='`hop_s`=-1.0: .*seconds above 0'):
        predictor.diagnose(recording, hop_s=-1.0)
    with pytest.raises(CheckpointError, match='several folds: choose one, e.g. .*fold_1'):
        load_single(two_folds)
    assert load_predictor(two_folds / 'fold_1').workdir == two_folds / 'fold_1'


def test_the_picture_shows_the_waveform_the_windows_and_those_without_a_vote():
    figure = network(('', 'dead', ''), sine(), threshold=0.5).plot()
    waveform, windows = figure.axes
    assert waveform.get_title() == 'pump.csv: ok'
    assert waveform.get_ylabel() == 'amplitude (g)'
    assert waveform.lines[0].get_xdata()[-1] == pytest.approx(2.999)
    ok, worn, threshold = windows.lines
    np.testing.assert_allclose(ok.get_xdata(), [0.5, 1.5, 2.5])
    np.testing.assert_allclose(worn.get_ydata(), [0.1, np.nan, 0.3], rtol=1e-6)
    assert list(threshold.get_ydata()) == [0.5, 0.5]
    # The window without a vote is grey in both panels.
    assert [len(axis.patches) for axis in figure.axes] == [1, 1]
    assert [t.get_text() for t in windows.get_legend().get_texts()] == ['ok', 'worn', 'threshold']
    assert 'matplotlib.pyplot' not in sys.modules or figure.canvas.manager is None


def test_the_picture_takes_any_name_and_leaves_out_a_recording_that_was_not_kept(tmp_path):
    result = dataclasses.replace(network(), file='a $x_$ b.csv', class_names=['_ok', '$\\bad{$'])
    figure = plot_result(result)
    assert len(figure.axes) == 1
    figure.savefig(tmp_path / 'a.png')
    assert (tmp_path / 'a.png').stat().st_size > 5000


def test_a_long_waveform_keeps_its_extremes():
    samples = np.zeros(100_000)
    samples[[7, 60_000]] = 3.0, -5.0
    where, values = extremes(samples)
    assert len(where) == 2 * COLUMNS and (np.diff(where) >= 0).all()
    assert values.max() == 3.0 and values.min() == -5.0
    np.testing.assert_array_equal(values, samples[where])
    short = np.arange(10.0)
    np.testing.assert_array_equal(extremes(short)[1], short)


def test_a_file_goes_through_the_rooms_once(run, rig):
    """Prepared, made into images, asked and judged, without a way back: data, signal, train; predict leads."""
    from fdx.benchmarks.hops import climbs_of, way_of

    predictor, recording = load_single(run), next(iter(rig.recordings(['rig_b'])))
    expected = predictor.diagnose(recording).rows()
    found = []
    way = way_of(lambda: found.extend(predictor.diagnose(recording).rows()))
    assert found == expected
    assert set(way) <= {'predict', 'data', 'signal', 'train', 'models', 'types'}
    assert way.count('signal') == 1 and way.count('models') <= 1
    assert climbs_of(way) <= 5
