"""A model as a C header, for microcontrollers without a file system."""

from __future__ import annotations

import re

import numpy as np

from fdx.export.tflite_file import model_info

BYTES_A_LINE = 12


def c_header(model: bytes, name: str, description: dict) -> str:
    """A header with the flatbuffer as an array, 16-byte aligned, and what a caller needs to feed it.

    Args:
      model: the flatbuffer, best without fdx's description: it takes flash and is not read on the device.
      name: of the array; what C does not allow in names becomes an underscore.
      description: of the export (fdx.export.description).
    """
    symbol = re.sub(r'\W', '_', name)
    symbol = f'_{symbol}' if symbol[:1].isdigit() else symbol
    info, guard = model_info(model), f'{symbol.upper()}_H_'
    lines = [
        f'/* {description["model"]}, exported by fdx as {description["format"]}: {info.num_bytes} bytes.',
        f' * Input  {_tensor(info.input)}: {description["input"]}.',
        f' * Output {_tensor(info.output)}: probabilities of {", ".join(description["class_names"])}.',
        ' * real = SCALE * (code - ZERO_POINT) for integers.',
        ' */',
        f'#ifndef {guard}',
        f'#define {guard}',
        '',
        '#include <stdint.h>',
        '',
        *_constants(symbol.upper(), info),
        *_standardisation(symbol, description),
        f'static const unsigned int {symbol}_len = {info.num_bytes}u;',
        '#ifdef __cplusplus',
        'alignas(16)',
        '#else',
        '_Alignas(16)',
        '#endif',
        f'static const uint8_t {symbol}[{info.num_bytes}] = {{',
        *_rows(model),
        '};',
        '',
        f'#endif /* {guard} */',
        '',
    ]
    return '\n'.join(lines)


def _tensor(tensor) -> str:
    return f'{tensor.dtype} [{", ".join(map(str, tensor.shape))}]'


def _constants(prefix: str, info) -> list[str]:
    lines = []
    for word, tensor in (('INPUT', info.input), ('OUTPUT', info.output)):
        if tensor.scale:
            lines += [
                f'#define {prefix}_{word}_SCALE {_float(tensor.scale)}',
                f'#define {prefix}_{word}_ZERO_POINT ({tensor.zero_point})',
            ]
    return [*lines, ''] if lines else []


def _standardisation(symbol: str, description: dict) -> list[str]:
    """Mean and deviation of every column of a table, where the device has to standardise readings itself."""
    columns = description['front_end'].get('columns')
    lines = []
    if columns and not description['folded']:
        for word, values in zip(('mean', 'deviation'), description['gain']):
            text = ', '.join(map(_float, values))
            lines.append(f'static const float {symbol}_{word}[{len(columns)}] = {{{text}}}; /* {", ".join(columns)} */')
    if description.get('threshold') is not None:
        lines.append(
            f'static const float {symbol}_threshold = {_float(description["threshold"])}; '
            f'/* {description["class_names"][1]} from this probability on */'
        )
    return [*lines, ''] if lines else []


def _float(value: float) -> str:
    """A C float literal that reads back as the same float32."""
    text = repr(float(np.float32(value)))
    return f'{text}f' if any(mark in text for mark in '.en') else f'{text}.0f'


def _rows(model: bytes) -> list[str]:
    return [
        '  ' + ' '.join(f'0x{byte:02x},' for byte in model[i : i + BYTES_A_LINE])
        for i in range(0, len(model), BYTES_A_LINE)
    ]
