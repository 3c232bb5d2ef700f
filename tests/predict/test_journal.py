"""The journal of a watch: nothing that was recorded is lost, and half a line is no result."""

from __future__ import annotations

import json

import pytest

from fdx.files import FileWriteError
from fdx.predict.journal import JOURNAL, Journal, Version
from fdx.types import ConfigError, DataError

ASKED = {'step': 3, 'options': {'hop_s': None, 'columns': ('a', 'b')}}
FIRST, SECOND = Version('/in/a.wav', 10, 5, 'aa'), Version('/in/\udce9.wav', 20, 6, 'bb')
ROWS = [{'kind': 'window', 'z': float('nan')}, {'kind': 'recording', 'file': '/in/\udce9.wav'}]


@pytest.fixture
def written(tmp_path) -> bytes:
    journal = Journal(tmp_path, ASKED)
    journal.add(FIRST, [{'kind': 'error', 'file': 'a', 'error': 'e'}])
    journal.add(SECOND, ROWS)
    journal.close()
    return (tmp_path / JOURNAL).read_bytes()


def test_it_is_read_back(tmp_path, written):
    journal = Journal(tmp_path, ASKED)
    assert len(journal) == 2
    assert journal.has('/in/a.wav', 'aa') and not journal.has('/in/a.wav', 'bb')
    assert journal.knows('/in/a.wav', 10, 5, 99) and not journal.knows('/in/a.wav', 10, 6, 99)
    assert [row['kind'] for row in journal.file_rows] == ['error', 'recording']
    assert list(journal.rows()) == [{'kind': 'error', 'file': 'a', 'error': 'e'}, {**ROWS[0], 'z': None}, ROWS[1]]
    journal.same(Version('/in/a.wav', 10, 7, 'aa'))
    assert journal.knows('/in/a.wav', 10, 7, 0) and len(journal) == 2
    journal.close()


def test_killed_at_any_byte_it_goes_on_after_the_last_whole_result(tmp_path, written):
    ends = [i + 1 for i, byte in enumerate(written) if byte == ord('\n')]
    path = tmp_path / JOURNAL
    near = {end + beside for end in ends for beside in (-1, 0, 1)}
    for cut in sorted({*near, *range(ends[0], len(written), 13)} & set(range(ends[0], len(written) + 1))):
        path.write_bytes(written[:cut])
        journal = Journal(tmp_path, ASKED)
        whole = sum(end <= cut for end in ends)
        assert len(journal) == whole - 1
        journal.add(Version('/in/c.wav', 1, 1, 'cc'), [])
        journal.close()
        assert path.read_bytes().startswith(written[: ends[whole - 1]])
        assert len(path.read_bytes().splitlines()) == whole + 1
    # Some file systems fill what was not yet written with zeros.
    path.write_bytes(written + b'\0\0\0\n')
    assert len(Journal(tmp_path, ASKED)) == 2


def test_a_file_that_cannot_be_read_is_tried_again_when_its_permissions_change(tmp_path):
    journal = Journal(tmp_path, ASKED)
    journal.add(Version('/in/a.wav', 10, 5, '', changed_ns=7), [])
    assert journal.knows('/in/a.wav', 10, 5, 7) and not journal.knows('/in/a.wav', 10, 5, 8)
    assert not journal.has('/in/a.wav', '')


def test_damage_and_another_diagnosis_are_refused(tmp_path, written):
    with pytest.raises(ConfigError, match=r'another diagnosis \(step: 3 then, 4 now\): choose another `workdir`'):
        Journal(tmp_path, {**ASKED, 'step': 4})
    lines = written.splitlines(keepends=True)
    for number in (1, 2):
        damaged = [*lines]
        damaged[number - 1] = b'{"version": 3\n'
        (tmp_path / JOURNAL).write_bytes(b''.join(damaged))
        with pytest.raises(DataError, match=f'line {number}: damaged'):
            Journal(tmp_path, ASKED)
        assert (tmp_path / JOURNAL).read_bytes() == b''.join(damaged)


def test_a_full_disk_leaves_no_half_line(tmp_path, written, monkeypatch):
    journal = Journal(tmp_path, ASKED)

    class Full:
        def __init__(self, file):
            self._file = file

        def write(self, data):
            return self._file.write(data[:7])

        def __getattr__(self, name):
            return getattr(self._file, name)

    monkeypatch.setattr(journal, '_file', Full(journal._file))
    with pytest.raises(FileWriteError, match='No space left on device'):
        journal.add(Version('/in/c.wav', 1, 1, 'cc'), [])
    assert (tmp_path / JOURNAL).read_bytes() == written
    assert json.loads(written.splitlines()[0])['asked']['options']['columns'] == ['a', 'b']
