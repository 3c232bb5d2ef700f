"""Every protocol in plain words: what was left out, what the network knew all the same, and what the score says."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fdx.evaluate.words import listed


@dataclasses.dataclass(frozen=True)
class ProtocolWords:
    """A protocol for someone who has never heard of one; `{domain}` stands for what domains are, `{tested}` for their
    names.

    Attributes:
      pooled: what was done, where all folds are scored.
      single: the same for some of the folds.
      limits: what the network knew of the tested data, and what the score says and does not say.
      new: of what 100 more would be right as often; '' where nothing can be said of new data.
    """

    pooled: str
    single: str
    limits: str
    new: str


PROTOCOL_WORDS = {
    'time_blocks': ProtocolWords(
        'Each recording was cut into five blocks of time, and each block was left out in turn: a network that had '
        'learned from other blocks of the same recording diagnosed it.',
        'Each recording was cut into five blocks of time. The network learned from three of them and diagnosed '
        'another one of the same recording.',
        'It therefore knew the machine, the bearing and the very recording. The score says how well it tells these '
        'recordings apart at another moment. It does not say how well it works on a new recording, bearing or '
        'machine.',
        'recordings of which it has learned another part',
    ),
    'by_recording': ProtocolWords(
        'Whole recordings were left out in turn: a network that had never seen a recording diagnosed it.',
        'Some whole recordings were left out, and the network diagnosed them without having seen any part of them.',
        'It may have known other recordings of the same bearing, machine and condition. The score says how well it '
        'works on a new recording of these. It does not say how well it works on a new bearing or machine.',
        'new recordings of these bearings and machines',
    ),
    'by_bearing': ProtocolWords(
        'Whole bearings were left out in turn: a network that had never seen a bearing diagnosed its recordings.',
        'Some whole bearings were left out, and the network diagnosed their recordings without having seen them.',
        'It may have known the machine and the condition from other bearings. The score says how well it works on a '
        'bearing that it has never seen. It does not say how well it works on a new kind of machine.',
        'new recordings of bearings that it has never seen, on these machines',
    ),
    'by_domain': ProtocolWords(
        'Each {domain} was left out in turn: a network that had learned at other ones only diagnosed its recordings.',
        'One {domain} was left out{tested}, and a network that had learned at other ones only diagnosed its '
        'recordings.',
        'It may have known the same bearings from the other ones. The score says how well it works at a {domain} that'
        ' it has never seen. It does not say how well it works on a new bearing.',
        'new recordings at a {domain} that it has never seen',
    ),
    'by_speed': ProtocolWords(
        'Each range of speeds was left out in turn, at all loads: a network that had learned at other speeds only '
        'diagnosed its recordings.',
        'One range of speeds was left out at all loads, and a network that had learned at other speeds only diagnosed '
        'its recordings.',
        'It may have known the same bearings from the other speeds. The score says how well it works at a speed that '
        'it has never seen. It does not say how well it works on a new bearing.',
        'new recordings at a speed that it has never seen',
    ),
    'by_load': ProtocolWords(
        'Each load was left out in turn, at all speeds: a network that had learned at other loads only diagnosed its '
        'recordings.',
        'One load was left out at all speeds, and a network that had learned at other loads only diagnosed its '
        'recordings.',
        'It may have known the same bearings from the other loads. The score says how well it works at a load that it '
        'has never seen. It does not say how well it works on a new bearing.',
        'new recordings at a load that it has never seen',
    ),
    'domain_pairs': ProtocolWords(
        'A network learned at one {domain} and diagnosed all recordings of another one, for every pair of them.',
        'The network learned at one {domain} and diagnosed all recordings of another one{tested}.',
        'It may have known the same bearings from the {domain} of training. The score says how well it works at a '
        '{domain} that it has never seen after learning at a single one. It does not say how well it works on a new '
        'bearing.',
        'new recordings at another {domain} than that of training',
    ),
    'within_domain': ProtocolWords(
        'For each {domain} alone, each recording was cut into five blocks of time, and each block was left out in '
        'turn: a network that had learned from other blocks of the same recording diagnosed it.',
        'At one {domain} alone{tested}, each recording was cut into five blocks of time. The network learned from '
        'three of them and diagnosed another one of the same recording.',
        'It therefore knew the machine, the bearing, the {domain} and the very recording. The score says how well it '
        'tells these recordings apart at another moment. It does not say how well it works on a new recording.',
        'recordings of which it has learned another part',
    ),
    'given_split': ProtocolWords(
        'The recordings were dealt to training, validation and test as the list of files says.',
        'The recordings were dealt to training, validation and test as the list of files says.',
        'What the network knew of a tested recording follows from that list: if its bearing, machine or condition is '
        'also in training, the score does not say how well it works on a new one.',
        'new recordings that relate to those of training as the tested ones do',
    ),
    'row_blocks': ProtocolWords(
        'The table was cut into stretches of rows, and each stretch was left out in turn: a model that had not '
        'learned from it called its rows.',
        'The table was cut into stretches of rows. Some were left out, and a model that had not learned from them '
        'called their rows.',
        'It may have known the same machine from other stretches. The score says how well it works at another time. '
        'It does not say how well it works on a new machine.',
        'new rows of these machines, at another time',
    ),
    'by_group': ProtocolWords(
        'Whole groups of rows, as a column of the table names them, were left out in turn: a model that had not '
        'learned from a group called its rows.',
        'Some whole groups of rows, as a column of the table names them, were left out, and a model that had not '
        'learned from them called their rows.',
        'The score says how well it works on a new group. What that is (a machine, a run, a day) follows from the '
        'column.',
        'new rows, of groups that it has never seen',
    ),
    'stratified': ProtocolWords(
        'Rows were dealt to five parts at random, and each part was left out in turn.',
        'Rows were dealt to training, validation and test at random.',
        'It therefore knew the same machines from other rows. The score says how well it works on another independent'
        ' reading of them. It does not say how well it works on a new machine.',
        'new rows of these machines',
    ),
    'random_windows': ProtocolWords(
        'Windows of all recordings were dealt to training and test at random.',
        'Windows of all recordings were dealt to training and test at random.',
        'For nearly every tested window the network had learned from the seconds just before or after it. The score '
        'is too good, and it does not say how well the network works on anything new.',
        '',
    ),
}


def words_of(
    protocol: str, *, pooled: bool, domain: str = 'domain', tested: Sequence[str] = ()
) -> tuple[str, str, str]:
    """(what was done, what the score says and does not say, of what 100 more would be right as often).

    Args:
      protocol: a key of PROTOCOL_WORDS; of another one only its name is said.
      pooled: whether all folds are scored.
      domain: what a domain is: machine, speed, load, operating condition, or domain.
      tested: names of the domains that were tested.
    """
    words = PROTOCOL_WORDS.get(protocol)
    if words is None:
        return f'The data were split by the protocol {protocol}.', '', ''
    if domain == 'domain':
        domain = 'domain (machine or operating condition)'
    texts = (words.pooled if pooled else words.single), words.limits, words.new
    names = f' ({listed(tested)})' if tested else ''
    done, limits, new = (text.replace('{domain}', domain).replace('{tested}', names) for text in texts)
    return done, limits, new
