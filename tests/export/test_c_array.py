"""C headers: the same bytes, numbers that read back exactly, and names that compilers take."""

from __future__ import annotations

import re
import shutil
import subprocess

import jax
import numpy as np
import pytest

from fdx.export.c_array import c_header
from fdx.export.litert import quantise_static, to_flatbuffer
from fdx.predict.backends.tflite_file import model_info

RNG = np.random.default_rng(0)
KERNEL, SAMPLES = RNG.standard_normal((4, 2)).astype(np.float32), RNG.standard_normal((9, 1, 4)).astype(np.float32)
COLUMNS = ['rpm', 'temperature_c', 'vibration_g', 'current_a']
# Whole, tiny, huge, negative, and without a short form: float64 with more digits than float32 keeps.
MEANS, DEVIATIONS = (1600.0, -24.123456789, 1e-7, 1 / 3), (200.0, 3e38, 1.5e-38, 0.1)
THRESHOLD = 0.3
DESCRIPTION = {
    'model': 'mlp',
    'format': 'tflite_int8',
    'input': f'(reading - mean) / deviation of {", ".join(COLUMNS)}',
    'class_names': ['normal', 'failure'],
    'folded': False,
    'front_end': {'kind': 'readings', 'name': 'readings', 'columns': COLUMNS, 'scaling': 'zscore'},
    'gain': (MEANS, DEVIATIONS),
    'threshold': THRESHOLD,
}
# Prints what the header says, floats as hexadecimal: exactly.
PROGRAM = """
#include <stdio.h>
#include "{file}"
int main(void) {{
  unsigned long misplaced = (unsigned long)(const void *){name} % 16;
  printf("%u %u %lu\\n", {name}_len, (unsigned)sizeof({name}), misplaced);
  printf("%a %d ", {upper}_INPUT_SCALE, {upper}_INPUT_ZERO_POINT);
  printf("%a %d\\n", {upper}_OUTPUT_SCALE, {upper}_OUTPUT_ZERO_POINT);
  for (int i = 0; i < 4; i++) printf("%a %a ", {name}_mean[i], {name}_deviation[i]);
  printf("%a\\n", {name}_threshold);
  for (unsigned i = 0; i < {name}_len; i++) printf("%02x", {name}[i]);
  return 0;
}}
"""


@pytest.fixture(scope='module')
def flatbuffer() -> bytes:
    return to_flatbuffer(lambda x: jax.nn.softmax(x @ KERNEL), (1, 4))


@pytest.fixture(scope='module')
def int8(flatbuffer) -> bytes:
    return quantise_static(flatbuffer, SAMPLES)


def code_of(header: str) -> str:
    """Without comments."""
    return re.sub(r'/\*.*?\*/', '', header, flags=re.DOTALL)


def array_of(header: str) -> bytes:
    """The bytes of the uint8_t array, read as a compiler would."""
    (declared, body), *others = re.findall(
        r'static const uint8_t \w+\[(\d+)\] = \{(.*?)\};', code_of(header), re.DOTALL
    )
    assert not others
    numbers = [token.strip() for token in body.split(',') if token.strip()]
    assert all(re.fullmatch(r'0x[0-9a-f]{2}', token) for token in numbers)
    assert len(numbers) == int(declared)
    return bytes(int(token, 16) for token in numbers)


def literals_of(header: str, name: str) -> list[np.float32]:
    """Values of a float constant or array, each a C literal of float32."""
    text = re.search(rf'static const float {name}(?:\[\d+\])? = \{{?([^;}}]*)\}}?;', code_of(header)).group(1)
    tokens = [token.strip() for token in text.split(',')]
    assert all(re.fullmatch(r'-?\d+(\.\d+)?(e[+-]\d+)?f', token) and re.search('[.e]', token) for token in tokens), (
        tokens
    )
    return [np.float32(token[:-1]) for token in tokens]


def defines_of(header: str) -> dict[str, str]:
    return dict(re.findall(r'^#define (\w+) (\S+)$', code_of(header), re.MULTILINE))


def run_compiled(compiler: str, folder, file: str, name: str) -> list[str]:
    """Lines that PROGRAM prints; warnings of the header are errors."""
    source = folder / ('main.cc' if compiler == 'c++' else 'main.c')
    source.write_text(PROGRAM.format(file=file, name=name, upper=name.upper()))
    standard = '-std=c++11' if compiler == 'c++' else '-std=c11'
    command = [compiler, standard, '-Wall', '-Wextra', '-Wno-unused', '-Werror', source, '-o', folder / 'main']
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return subprocess.run([folder / 'main'], capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_array_is_the_model(int8):
    header = c_header(int8, 'motor', DESCRIPTION)
    assert array_of(header) == int8
    assert f'static const unsigned int motor_len = {len(int8)}u;' in header
    assert header.endswith('#endif /* MOTOR_H_ */\n')
    assert max(map(len, header.splitlines())) < 200


def test_a_number_of_bytes_that_fills_no_row(flatbuffer):
    assert {len(flatbuffer) % 12, (len(flatbuffer) + 4) % 12} != {0}
    for content in (flatbuffer, flatbuffer + b'\xff\x00\x7f\x80'):
        assert array_of(c_header(content, 'a', {**DESCRIPTION, 'folded': True})) == content


def test_scales_and_zero_points_are_those_of_the_model(int8):
    info, found = model_info(int8), defines_of(c_header(int8, 'motor', DESCRIPTION))
    for word, tensor in (('INPUT', info.input), ('OUTPUT', info.output)):
        scale = found[f'MOTOR_{word}_SCALE']
        assert re.fullmatch(r'[\d.e+-]+f', scale)
        assert np.float32(scale[:-1]) == np.float32(tensor.scale) == tensor.scale
        # In brackets, so that `code - ZERO_POINT` is what it says for negative ones.
        assert found[f'MOTOR_{word}_ZERO_POINT'] == f'({tensor.zero_point})'
    assert found['MOTOR_OUTPUT_ZERO_POINT'] == '(-128)'


def test_standardisation_and_threshold_read_back_as_the_same_float32(int8):
    header = c_header(int8, 'motor', DESCRIPTION)
    assert literals_of(header, 'motor_mean') == [np.float32(v) for v in MEANS]
    assert literals_of(header, 'motor_deviation') == [np.float32(v) for v in DEVIATIONS]
    assert literals_of(header, 'motor_threshold') == [np.float32(THRESHOLD)]
    assert f'/* {", ".join(COLUMNS)} */' in header
    assert '/* failure from this probability on */' in header


def test_what_a_model_does_not_need_is_not_there(flatbuffer, int8):
    folded = c_header(flatbuffer, 'motor', {**DESCRIPTION, 'folded': True, 'threshold': None})
    assert '_mean' not in folded and '_deviation' not in folded and '_threshold' not in folded
    assert set(defines_of(folded)) == set()  # A float model has no scales.
    images = {**DESCRIPTION, 'front_end': {'kind': 'log_mel', 'name': 'vggish_train'}, 'gain': 0.1, 'threshold': None}
    header = c_header(int8, 'motor', images)
    assert 'static const float' not in header
    assert 'MOTOR_INPUT_SCALE' in header


def test_the_first_lines_say_what_it_is(int8):
    lines = c_header(int8, 'motor', DESCRIPTION).splitlines()
    assert lines[0] == f'/* mlp, exported by fdx as tflite_int8: {len(int8)} bytes.'
    assert lines[1] == f' * Input  int8 [1, 4]: {DESCRIPTION["input"]}.'
    assert lines[2] == ' * Output int8 [1, 2]: probabilities of normal, failure.'


def test_names_of_classes_cannot_end_the_comment(int8):
    names = ['normal', 'inner*/outer\nrace']
    header = c_header(int8, 'motor', {**DESCRIPTION, 'class_names': names})
    assert ' * Output int8 [1, 2]: probabilities of normal, inner* /outer race.' in header.splitlines()
    assert 'outer' not in code_of(header)
    assert array_of(header) == int8


@pytest.mark.parametrize(
    ('name', 'symbol'),
    [
        ('motor', 'motor'),
        ('Motor_2', 'Motor_2'),
        ('motor-v2.1', 'motor_v2_1'),
        ('2nd motor', '_2nd_motor'),
        ('größe', 'gr__e'),
        ('模型', '__'),
        ('٣', '_'),  # A digit to Python, not to C.
        ('', '_'),
        ('switch', 'switch_'),
        ('float', 'float_'),
        ('class', 'class_'),
        ('floats', 'floats'),
    ],
)
def test_odd_names_become_identifiers_that_compile(int8, tmp_path, name, symbol):
    header = c_header(int8, name, DESCRIPTION)
    declared = re.findall(r'static const (?:unsigned int|uint8_t|float) (\w+)', code_of(header))
    expected = {symbol, f'{symbol}_len', f'{symbol}_mean', f'{symbol}_deviation', f'{symbol}_threshold'}
    assert set(declared) == expected
    assert all(re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', word, re.ASCII) for word in (*declared, *defines_of(header)))
    assert f'#ifndef {symbol.upper()}_H_\n#define {symbol.upper()}_H_\n' in header
    if shutil.which('cc'):
        (tmp_path / 'model.h').write_text(header)
        assert run_compiled('cc', tmp_path, 'model.h', symbol)[0] == f'{len(int8)} {len(int8)} 0'


@pytest.mark.parametrize('compiler', ['cc', 'c++'])
def test_a_compiler_reads_what_was_written(int8, tmp_path, compiler):
    header = c_header(int8, 'motor', DESCRIPTION)
    assert array_of(header) == int8
    if not shutil.which(compiler):
        return  # Then what the tests above parse is the proof.
    # Twice: the guard keeps the second from declaring all again.
    (tmp_path / 'motor.h').write_text(header)
    (tmp_path / 'twice.h').write_text('#include "motor.h"\n#include "motor.h"\n')
    sizes, scales, floats, content = run_compiled(compiler, tmp_path, 'twice.h', 'motor')
    info = model_info(int8)
    assert sizes == f'{len(int8)} {len(int8)} 0'
    scale_in, zero_in, scale_out, zero_out = scales.split()
    assert (float.fromhex(scale_in), float.fromhex(scale_out)) == (info.input.scale, info.output.scale)
    assert (int(zero_in), int(zero_out)) == (info.input.zero_point, info.output.zero_point)
    *columns, threshold = map(float.fromhex, floats.split())
    assert columns == [float(np.float32(v)) for pair in zip(MEANS, DEVIATIONS) for v in pair]
    assert threshold == float(np.float32(THRESHOLD))
    assert bytes.fromhex(content) == int8
