"""A model as a C header, for microcontrollers without a file system."""

from __future__ import annotations

import re

import numpy as np

from fdx.predict.backends.tflite_file import model_info

BYTES_A_LINE = 12
# Keywords of C11 and C++11 that could be the name of a file, but cannot name an array.
KEYWORDS = (
    ' alignas alignof and asm auto bitand bitor bool break case catch char class compl const constexpr continue '
    'decltype default delete do double else enum explicit export extern false float for friend goto if inline int long '
    'mutable namespace new noexcept not nullptr operator or private protected public register restrict return short '
    'signed sizeof static struct switch template this thread_local throw true try typedef typeid typename union '
    'unsigned using virtual void volatile while xor '
)


def c_header(model: bytes, name: str, description: dict) -> str:
    """A header with the flatbuffer as an array, 16-byte aligned, and what a caller needs to feed it.

    Args:
      model: the flatbuffer, best without fdx's description: it takes flash and is not read on the device.
      name: of the array; what C does not allow in names becomes an underscore, a keyword gets one.
      description: of the export (fdx.export.convert.describe_export).
    """
    symbol = _identifier(name)
    info, guard = model_info(model), f'{symbol.upper()}_H_'
    lines = [
        f'/* {description["model"]}, exported by fdx as {description["format"]}: {info.num_bytes} bytes.',
        f' * Input  {_tensor(info.input)}: {_comment(description["input"])}.',
        f' * Output {_tensor(info.output)}: probabilities of {_comment(", ".join(description["class_names"]))}.',
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


def _identifier(name: str) -> str:
    # Only C's own letters, because compilers differ in which others they accept.
    symbol = re.sub(r'\W', '_', name, flags=re.ASCII)
    if f' {symbol} ' in KEYWORDS:
        return f'{symbol}_'
    return symbol if symbol and not symbol[0].isdigit() else f'_{symbol}'


def _comment(text: str) -> str:
    """Text that cannot end the comment it is placed in."""
    return ' '.join(text.replace('*/', '* /').split())


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
    """Mean and deviation of every column of a table, if the device has to standardise the readings."""
    columns = description['front_end'].get('columns')
    lines = []
    if columns and not description['folded']:
        for word, values in zip(('mean', 'deviation'), description['gain']):
            text = ', '.join(map(_float, values))
            lines.append(
                f'static const float {symbol}_{word}[{len(columns)}] = {{{text}}}; /* {_comment(", ".join(columns))} */'
            )
    if description.get('threshold') is not None:
        lines.append(
            f'static const float {symbol}_threshold = {_float(description["threshold"])}; '
            f'/* {_comment(description["class_names"][1])} from this probability on */'
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
