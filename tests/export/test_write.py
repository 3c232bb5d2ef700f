"""Exports from end to end: what is measured is what evaluation says, and a model that disagrees is not handed out."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import pytest

from fdx.evaluate.scoring import score_run
from fdx.export import write
from fdx.export.write import DisagreementError, Export, export
from fdx.files import FileWriteError, to_jsonable
from fdx.predict.backends.tflite_file import model_info, read_model
from fdx.types import ConfigError, DataError, FdxError

DATASET = 'motor_maintenance/small'
FORMS = ('tflite_int8', 'tflite_float', 'tflite_dynamic')


pytestmark = pytest.mark.usefixtures('short_timing')


@pytest.fixture(scope='module')
def workdir(table_run):
    return table_run


@pytest.fixture(scope='module')
def checkpoint(workdir):
    return score_run(workdir).predictions


@pytest.fixture(scope='module')
def made(workdir) -> dict[str, Export]:
    """form -> export, with a C array."""
    return {form: export(workdir, form, c_array='motor', min_agreement=0.97) for form in FORMS}


@pytest.mark.parametrize('form', FORMS)
def test_the_summary_is_what_evaluation_of_the_written_file_says(made, workdir, checkpoint, tmp_path, form):
    summary = made[form].summary
    made[form].write(tmp_path / 'a.tflite')
    found = score_run(tmp_path / 'a.tflite').predictions
    assert summary['windows'] == len(found) == len(checkpoint)
    assert summary['accuracy'] == np.mean(found.predicted == found.labels)
    assert summary['float_accuracy'] == np.mean(checkpoint.predicted == checkpoint.labels)
    assert summary['agreement'] == np.mean(found.predicted == checkpoint.predicted) >= 0.97
    difference = np.abs(found.probabilities - checkpoint.probabilities).max()
    assert summary['largest_difference'] == pytest.approx(difference, abs=1e-7)
    assert 0 < difference < (1e-5 if form == 'tflite_float' else 0.1)
    assert summary['ms'] > 0 and summary['float_ms'] > 0


@pytest.mark.parametrize('form', FORMS)
def test_the_summary_describes_the_model(made, workdir, tmp_path, form):
    summary, content = made[form].summary, made[form].content
    made[form].write(tmp_path / 'a.tflite')
    description = read_model(tmp_path / 'a.tflite')[1]
    assert (tmp_path / 'a.tflite').read_bytes() == content
    assert (summary['checkpoint'], summary['model']) == (str(workdir), 'mlp')
    assert summary['dataset'] == 'motor_maintenance/small:1.0.0'
    assert (summary['format'], summary['step']) == (description['format'], description['step'])
    assert (summary['format'], summary['takes']) == (form, description['input'])
    assert summary['file_bytes'] == len(content) > summary['bytes']
    assert summary['full_integer'] == (form == 'tflite_int8')
    assert summary['calibration'] == (256 if form == 'tflite_int8' else 0)
    assert summary['input']['dtype'] == ('int8' if form == 'tflite_int8' else 'float32')
    assert summary['operators'] == model_info(content).operators
    assert json.loads(json.dumps(to_jsonable(summary), allow_nan=False))


def test_the_header_holds_the_model_without_its_description(made):
    for form in FORMS:
        header, summary = made[form].header, made[form].summary
        values = re.findall(r'0x[0-9a-f]{2}', header)
        assert f'static const uint8_t motor[{summary["bytes"]}]' in header
        assert len(values) == summary['bytes']
        assert ('motor_mean' in header) == (form == 'tflite_int8')
        assert 'motor_threshold' in header
    assert made['tflite_int8'].summary['bytes'] < made['tflite_float'].summary['file_bytes']


def test_without_a_name_there_is_no_header(workdir):
    assert export(workdir, 'tflite_float').header == ''


def test_calibration_and_step_are_passed_on(workdir, made, monkeypatch):
    counts, original = [], write.representative_inputs

    def counted(predictor, data_dir, count, gain):
        counts.append((predictor.step, count))
        return original(predictor, data_dir, count, gain)

    monkeypatch.setattr(write, 'representative_inputs', counted)
    found = export(workdir, 'tflite_int8', step='last', calibration=20, min_agreement=0.5)
    last = found.summary['step']
    assert counts == [(last, 20)]
    assert last >= made['tflite_int8'].summary['step']
    assert found.summary['calibration'] == 20


def test_a_badly_calibrated_model_is_not_handed_out(workdir, checkpoint, monkeypatch, tmp_path):
    """Of ranges a thousand times too small all inputs are the extremes."""
    original = write.representative_inputs
    monkeypatch.setattr(write, 'representative_inputs', lambda *args: original(*args) * 1e-3)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DisagreementError) as caught:
        export(workdir, 'tflite_int8')
    text = str(caught.value)
    assert isinstance(caught.value, FdxError)
    agreement = float(re.search(r'both call ([\d.]+) % of', text).group(1))
    assert agreement < 97
    assert f'of {len(checkpoint)} test windows the same, less than `min_agreement`=0.99' in text
    assert f'accuracy {100 * np.mean(checkpoint.predicted == checkpoint.labels):.2f} % as checkpoint' in text
    assert 'nothing was written' in text
    assert list(tmp_path.iterdir()) == []
    # The same model is good enough for whoever asks for less.
    assert export(workdir, 'tflite_int8', min_agreement=0.0).summary['agreement'] == pytest.approx(
        agreement / 100, abs=1e-4
    )


@pytest.mark.parametrize(
    ('agreement', 'demand', 'good'), [(0.98, 0.98, True), (0.97999, 0.98, False), (1.0, 1.0, True)]
)
def test_the_demand_is_reached_by_as_much(workdir, monkeypatch, agreement, demand, good):
    measured = {'windows': 300, 'float_accuracy': 0.9, 'accuracy': 0.8, 'agreement': agreement}
    monkeypatch.setattr(write, 'compare_with_checkpoint', lambda *args, **kwargs: measured)
    if good:
        assert export(workdir, 'tflite_float', min_agreement=demand).summary['agreement'] == agreement
        return
    with pytest.raises(DisagreementError, match=r'both call 98.00 % of 300 test windows the same'):
        export(workdir, 'tflite_float', min_agreement=demand)


def test_a_file_is_written_whole_or_not_at_all(made, tmp_path, monkeypatch):
    path = tmp_path / 'folder' / 'a.tflite'
    made['tflite_float'].write(path)

    def full(*args):
        raise OSError('no space left')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(FileWriteError, match='no space left'):
        made['tflite_int8'].write(path)
    assert path.read_bytes() == made['tflite_float'].content
    assert [p.name for p in path.parent.iterdir()] == ['a.tflite']


def test_a_dataset_that_has_moved_is_found_by_its_folder(workdir, tmp_path):
    with pytest.raises(DataError, match='`data_dir`'):
        export(workdir, 'tflite_float', data_dir=str(tmp_path))
    os.symlink(workdir.parent / 'data', tmp_path / 'moved')
    assert export(workdir, 'tflite_float', data_dir=str(tmp_path / 'moved')).summary['agreement'] == 1.0


def test_an_unknown_form_is_refused(workdir):
    with pytest.raises(ConfigError, match='`format`=pickle: it is one of tflite_int8, '):
        export(workdir, 'pickle')
