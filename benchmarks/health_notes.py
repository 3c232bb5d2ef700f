"""What the page of the benchmark `health` says about its protocol, its limits and what was tried."""

from __future__ import annotations

PROTOCOL = (
    'A machine is learned from healthy recordings alone, as `fdx baseline` learns it, and judges what it has not seen. '
    'No label of a fault is read by anything that learns or chooses. The unit is the recording. Where a machine has '
    'few healthy recordings, pieces of them stand for recordings, and a tested recording is judged by the median over '
    'its pieces. Detection is at a promise of one false alarm in a hundred recordings (p-value 0.01 or less). An alarm '
    'takes what is unusual; where the healthy recordings drift (fdx.health.drift), it must also have risen as damage '
    'rises (fdx.health.rise), and is watched otherwise.'
)
NOTES = (
    'Healthy recordings: ADI one per speed (2 s, pieces of 0.1 s), HIT one per speed (5 s, pieces of 0.15 s), CWRU '
    'those that are there (pieces of 0.05 s), PRONOSTIA the files of the first tenth of each life (0.1 s, pieces of '
    '0.02 s). The lengths give about a hundred pieces (at least twenty), and were fixed before any score was seen. '
    '`bearing_rig` has 80 healthy recordings at two speeds and two loads, `motor_rig` 100 at two loads with and '
    'without a second motor, which the baseline is not told.',
    '**One healthy recording per speed cannot show how much two healthy recordings differ** (mounting, temperature, '
    'the day). On ADI, HIT and CWRU everything that is not this very recording may look unusual, and the detections '
    'there, imbalance included, are an upper bound. The simulated machines draw mounting, gain and resonance of each '
    'recording anew. `rig_a_one` is a control: learned like ADI from one recording per state, it judges other healthy '
    'recordings of the same machine. What it calls there is what the promise does not cover; it was added last.',
    'HIT: levels are a trap, since healthy files have another unit than faulty ones. What reads level (`rms`, '
    '`default`, `log_mel`) finds the unit; rows `level_free` do not see it.',
    'ROC AUC compares units (recordings, or pieces where these stand for them): healthy ones that were held out '
    'against those of tested recordings, each of which weighs alike. Partial AUC: up to 10 % false alarms, scaled so '
    'that chance is 0.5 (McClish, 1989). Intervals (95 %): of areas the widest that any law allows (Birnbaum, Klose, '
    '1957, by Wilson), with recordings and blocks of pieces as independent units; of detections Wilson; of false '
    'alarms Clopper and Pearson. Recordings of one bearing are not independent, so the truth is wider.',
    'Promised against measured: healthy recordings of simulated machines that nothing was learned from, all seeds '
    'together; on real machines five blocks of healthy pieces, each judged by a baseline that was learned without it. '
    '`yes` and `no`: the measured rate lies within a factor of two of the promised one, where at least five false '
    'alarms were expected; `few`: so few units cannot tell. `auto` chooses once, from all healthy pieces.',
    'PRONOSTIA: healthy means up to a third of the life, which is an assumption: nobody states when damage began. '
    'ROC AUC compares the last tenth with the part from a tenth to a third, by recording. Alarms take two of three '
    'recordings that are unusual and, where the healthy ones drift, have risen (rows `:worse`: always), at the rate '
    'that `fdx baseline` promises (one false alarm in 30 days at one recording an hour, or what so few recordings can '
    'promise). Lead: share of the life that is left at the first alarm after the first '
    'third. Equal false alarms: each row has the lowest limit at which no recording of the first third makes an alarm; '
    'this limit is set in hindsight, for all rows in the same way. A lead of some 66 % means that an alarm comes right '
    'after the first third: what went on changing since the beginning is then more likely than damage.',
    '`limit` rows are what plants do: an upper limit on each number per operating state. Their limits come from the '
    'same held-out healthy scores and tail law as those of the others, so that promised false alarms are equal. They, '
    'and `:unusual`, never ask for a rise; in rows `level_free` impulsiveness and fault orders alone can rise.',
    'Recordings at an operating state that the baseline does not know are `outside operating range` and do not count. '
    'In `motor_rig` these are electrical faults, which slow the motor by 2 to 7 %: its speed tells the fault, '
    'and a baseline that takes it for an operating state does not judge them.',
)
VARIANTS = (
    'Variants: the rows above were all measured, and all are shown. Features, detectors, lengths of pieces and the '
    'sizes of the simulated sets were written down before the first score and not changed after it.',
    'The library was changed after its first scores on these machines were seen, with these scores in view: pieces of '
    'recordings promise only as much as they are worth as independent units, alarms of pieces count one by one, a '
    'promise is weakened sooner where held-out blocks break it, and the choice of a detector asks whether faults that '
    'are put in reach the limit. How a rise is read was chosen among twelve variants with the four lives and ADI in '
    'view (the page of decisions on health has them). That alarms ask for one only where healthy recordings drift was '
    'decided afterwards, because of the light faults of ADI that had been left to be watched. So these are development '
    'machines for the rows of `fdx.health`.',
)
