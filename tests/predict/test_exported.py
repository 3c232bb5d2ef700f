"""An exported model has the face of a checkpoint: scores, reports and diagnoses are made by the same code."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib

import numpy as np
import pytest
import scipy.io.wavfile

from fdx.data.source import open_dataset
from fdx.evaluate import canvas, scored_rows
from fdx.evaluate.evaluate import evaluate
from fdx.evaluate.scoring import score_run
from fdx.export.convert import load_single, make_model, representative_inputs
from fdx.export.package import file_content
from fdx.predict.backends.checkpoint import Predictor
from fdx.predict.backends.exported import ExportedPredictor
from fdx.predict.load import load_predictor, run_folders
from fdx.types import CheckpointError, DataError

TABLE = 'motor_maintenance/small'
# Largest difference of a probability from the checkpoint.
TOLERANCE = {'tflite_float': 1e-5, 'tflite_int8': 0.1}


def write_export(workdir: pathlib.Path, form: str, folder: pathlib.Path) -> pathlib.Path:
    predictor = load_single(workdir, 'best')
    made = make_model(predictor, form, lambda gain: representative_inputs(predictor, None, 64, gain))
    path = folder / f'{workdir.name}_{form}.tflite'
    path.write_bytes(file_content(made))
    return path


@pytest.fixture(scope='module', autouse=True)
def small_pictures():
    """Drawn coarsely; fine ones are those of tests/evaluate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, 'DPI', 30)
        yield


@pytest.fixture(scope='module', autouse=True)
def opened_once():
    """The prepared datasets, which do not change here, are not read again for each score."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scored_rows, 'open_dataset', functools.cache(scored_rows.open_dataset))
        yield


@pytest.fixture(scope='module')
def runs(run, two_folds, table_run) -> dict[str, pathlib.Path]:
    """Vibration, vibration whose gain was fitted, and a table."""
    return {'vibration': run, 'gained': two_folds / 'fold_1', 'table': table_run}


@pytest.fixture(scope='module')
def files(runs, tmp_path_factory) -> dict[tuple[str, str], pathlib.Path]:
    """(run, form) -> exported file."""
    folder = tmp_path_factory.mktemp('exported')
    return {(name, form): write_export(workdir, form, folder) for name, workdir in runs.items() for form in TOLERANCE}


@pytest.mark.parametrize('name', ['vibration', 'gained', 'table'])
@pytest.mark.parametrize('form', TOLERANCE)
def test_scores_are_of_the_same_rows_and_labels(runs, files, name, form):
    before, after = score_run(runs[name]), score_run(files[name, form])
    a, b = before.predictions, after.predictions
    assert len(a) == {'vibration': 6, 'gained': 6}.get(name, len(b)) > 0
    assert (b.recordings, b.domains, b.class_names) == (a.recordings, a.domains, a.class_names)
    for field in ('labels', 'window_starts', 'folds'):
        np.testing.assert_array_equal(getattr(b, field), getattr(a, field))
    if name == 'table':
        np.testing.assert_array_equal(b.thresholds, a.thresholds)
    else:
        assert a.thresholds is b.thresholds is None
    differences = np.abs(b.probabilities - a.probabilities)
    # Where a small network of a table turns steeply, a step of the input's codes moves its probability by more.
    steep = 3 if name == 'table' and form == 'tflite_int8' else 1
    assert differences.max() < steep * TOLERANCE[form]
    assert differences.mean() < TOLERANCE[form] / 4
    np.testing.assert_allclose(b.probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.ptp(a.probabilities, axis=0).max() > 0.01
    assert (after.leaks, after.leak_share) == (before.leaks, before.leak_share) == (False, 0.0)


@pytest.mark.parametrize('name', ['vibration', 'table'])
@pytest.mark.parametrize('split', ['train', 'validation', 'all'])
def test_other_splits_leak_as_those_of_the_checkpoint_do(runs, files, name, split):
    before, after = score_run(runs[name], split=split), score_run(files[name, 'tflite_float'], split=split)
    assert after.predictions.recordings == before.predictions.recordings
    assert (after.leaks, after.leak_reason) == (before.leaks, before.leak_reason)
    assert after.leak_share == before.leak_share
    assert after.leaks == (split != 'validation')


def test_it_knows_what_the_checkpoint_knew(runs, files):
    for (name, form), path in files.items():
        before, after = Predictor(runs[name]), ExportedPredictor(path)
        assert (after.workdir, after.has_features, before.has_features) == (path, False, True)
        assert (after.step, after.config, after.class_names) == (before.step, before.config, before.class_names)
        assert (after.front_end, after.threshold) == (before.front_end, before.threshold)
        assert after.meta['dataset'] == before.meta['dataset']
        assert after.meta['familiar'] == before.meta['familiar'] and after.temperature == before.temperature
        assert (after.description['format'], after.model.info.full_integer) == (form, form == 'tflite_int8')


@pytest.mark.parametrize('name', ['vibration', 'gained'])
def test_it_refuses_what_the_checkpoint_refuses(runs, files, name, rig):
    recording = next(iter(rig.recordings(['rig_b'])))
    noise = np.random.default_rng(0).normal(0, recording.samples.std(), recording.samples.shape).astype(np.float32)
    foreign = dataclasses.replace(recording, samples=noise)
    for form in TOLERANCE:
        before, after = Predictor(runs[name]), ExportedPredictor(files[name, form])
        for source in (recording, foreign):
            a, b = (predictor.diagnose(source).rows() for predictor in (before, after))
            for key in ('unlike_training', 'distance'):
                assert [row[key] for row in a] == [row[key] for row in b]
            # Inputs that keep the level are as far apart as the levels of its own recordings.
            refused = source is foreign and name == 'vibration'
            assert a[-1]['unlike_training'] == (a[-1]['predicted'] is None) == refused


def test_the_gain_that_is_left(runs, files):
    gains = {key: ExportedPredictor(path).gain for key, path in files.items()}
    fitted = Predictor(runs['gained']).gain
    assert fitted != 1.0
    assert gains['gained', 'tflite_float'] == 1.0
    assert gains['gained', 'tflite_int8'] == fitted
    assert gains['vibration', 'tflite_float'] == gains['vibration', 'tflite_int8'] == 1.0
    assert gains['table', 'tflite_float'] == ((0.0,) * 4, (1.0,) * 4)
    assert gains['table', 'tflite_int8'] == Predictor(runs['table']).gain


@pytest.mark.parametrize('form', TOLERANCE)
def test_patches_are_scaled_by_it(runs, files, form):
    before, after = Predictor(runs['gained']), ExportedPredictor(files['gained', form])
    patches = open_dataset('bearing_rig/rig_b_small-vggish_train', before.config.data_dir).read(
        np.arange(8), 'spectrogram'
    )
    expected = before.patch_probabilities(patches)
    np.testing.assert_allclose(after.patch_probabilities(patches), expected, rtol=0, atol=TOLERANCE[form])


def test_patches_of_another_shape_are_refused(files):
    with pytest.raises(DataError, match=r'\(96, 64, 1\), not \(96, 32, 1\)'):
        ExportedPredictor(files['vibration', 'tflite_float']).patch_probabilities(np.zeros((2, 96, 32, 1), np.float32))


def test_progress_counts_the_windows(files):
    seen = []

    def progress(rows, total, desc):
        seen.append((len(list(rows)), total, desc))
        return rows

    score_run(files['vibration', 'tflite_int8'], progress=progress)
    assert seen == [(6, 6, 'score fold 0')]


def test_a_report_is_written_without_an_embedding(runs, files, tmp_path):
    """An exported model gives probabilities only; its description leaves the history out."""
    path, out = files['table', 'tflite_int8'], tmp_path / 'out'
    results = evaluate(path, out)
    assert {p.stem for p in out.glob('*.png')} == {
        'confusion',
        'per_class',
        'reliability',
        'roc_and_pr',
        'distributions',
        'explanations',
    }
    report = (out / 'report.html').read_text()
    assert 'data:image/png;base64,' in report
    assert 'embedding' not in report.lower()
    assert json.loads((out / 'results.json').read_text())['accuracy'] == results['accuracy']
    scored = score_run(path).predictions
    assert results['accuracy'] == np.mean(scored.predicted == scored.labels)
    threshold = Predictor(runs['table']).threshold
    assert results['decision']['threshold'] == threshold


def test_results_are_those_of_the_checkpoint(runs, files, tmp_path):
    before = evaluate(runs['vibration'], tmp_path / 'before')
    after = evaluate(files['vibration', 'tflite_float'], tmp_path / 'after')
    assert set(before) == set(after)
    # The file leaves out the history of the training, from which the first two come.
    for key in set(before) - {'train_accuracy', 'what_helps', 'worst_recordings'}:
        if isinstance(before[key], float):
            assert after[key] == pytest.approx(before[key], abs=1e-4), key
        else:
            assert after[key] == before[key], key
    names = {p.name for p in (tmp_path / 'before').iterdir()} - {p.name for p in (tmp_path / 'after').iterdir()}
    assert names == {'embedding.png', 'embedding_profile.png', 'history.png'}


@pytest.mark.parametrize('form', TOLERANCE)
def test_a_raw_file_is_diagnosed(runs, files, rig, tmp_path, form):
    raw = next(r for r in rig.recordings(['rig_b']) if r.recording == 'rig_b-outer_race-0997rpm-load0')
    path = tmp_path / 'a.wav'
    scipy.io.wavfile.write(path, int(rig.RATE_HZ), raw.samples[:, 0])
    for name in ('vibration', 'gained'):
        expected = load_predictor(runs[name]).diagnose(path)
        found = load_predictor(files[name, form]).diagnose(path)
        assert (found.file, found.class_names) == (str(path), rig.CLASSES)
        np.testing.assert_array_equal(found.window_starts_s, expected.window_starts_s)
        assert len(found.window_probabilities) == 5
        np.testing.assert_allclose(
            found.window_probabilities, expected.window_probabilities, rtol=0, atol=TOLERANCE[form]
        )


def test_which_paths_are_exported_files(run, files, tmp_path):
    path = files['vibration', 'tflite_int8']
    assert isinstance(load_predictor(path), ExportedPredictor)
    assert isinstance(load_predictor(str(path)), ExportedPredictor)
    assert isinstance(load_predictor(run), Predictor)
    assert run_folders(path) == [path]
    for name in ('gone.tflite', 'gone.onnx'):
        with pytest.raises(CheckpointError, match=f'{name} does not exist: .*launch.export'):
            load_predictor(tmp_path / name)


@pytest.mark.parametrize('step', ['last', 5, '5'])
def test_a_step_of_an_exported_file_is_refused(says, files, step):
    path = files['vibration', 'tflite_int8']
    for load in (load_predictor, lambda path, step: score_run(path, step=step)):
        with pytest.raises(CheckpointError) as caught:
            load(path, step=step)
        assert says(str(caught.value), f'`step`={step}: {path} ... leave it out')


def test_another_dataset_is_scored_and_one_of_another_front_end_refused(run, files):
    path = files['vibration', 'tflite_float']
    before, after = (score_run(p, dataset='bearing_rig/rig_a_small', split='all') for p in (run, path))
    np.testing.assert_allclose(after.predictions.probabilities, before.predictions.probabilities, rtol=0, atol=1e-5)
    assert (len(after.predictions), after.leaks) == (30, False)
    with pytest.raises(DataError, match='front end vggish_train, .*checkpoint .*vggish'):
        score_run(path, dataset='bearing_rig/rig_b_small-vggish_train')


@pytest.mark.parametrize('value', [3e38, np.inf, np.nan])
@pytest.mark.parametrize('form', [None, *TOLERANCE])
def test_readings_too_large_for_the_network_have_no_verdict(runs, files, form, value):
    predictor = load_predictor(files['table', form] if form else runs['table'])
    usual = np.array(Predictor(runs['table']).gain[0], np.float32)
    rows = np.stack([usual, usual, usual])
    rows[1, 3] = value
    got = predictor.patch_probabilities(rows)
    np.testing.assert_array_equal(np.isnan(got).all(axis=1), [False, True, False])
    np.testing.assert_array_equal(got[0], got[2])
    assert np.isfinite(got[0]).all()


@pytest.mark.parametrize('form', [None, *TOLERANCE])
def test_an_image_that_is_not_finite_has_no_verdict(runs, files, form):
    predictor = load_predictor(files['gained', form] if form else runs['gained'])
    images = open_dataset('bearing_rig/rig_b_small-vggish_train', Predictor(runs['gained']).config.data_dir).read(
        np.arange(3), 'spectrogram'
    )
    images[1, 5, 5, 0] = np.nan
    got = predictor.patch_probabilities(images)
    np.testing.assert_array_equal(np.isnan(got).all(axis=1), [False, True, False])
