"""What the page of the benchmark `unseen` says about its protocol, its limits and what was tried."""

from __future__ import annotations

PROTOCOL = (
    'One machine is left out: a row may learn from labelled recordings of all other machines, is then asked about '
    'every recording of this one, and reads none of its labels. Two machines of one rig never learn from each other. '
    'The unit is the recording. Speed and bearing are those that the data state (on most machines the nominal speed). '
    'An imbalance, a misalignment or a bent shaft is no fault of the bearing: on ADI their recordings are healthy.'
)
NOTES = (
    'A verdict may be any state. Where only healthy, inner and outer race are asked for, a verdict `ball` is wrong.',
    'Balanced accuracy is the mean recall of the states that the machine has; `of answered` leaves out recordings '
    'without a verdict. Its interval (95 %) takes recordings as independent: Wilson intervals of the recalls, put '
    'together (Zou and Donner, 2008). Recordings of one bearing are not independent, so the truth is wider.',
    'Specificity: the share of healthy recordings that are called healthy; no verdict counts as wrong. ROC AUC: '
    'healthy against faulty by the probability of the healthy state, recordings without a verdict included.',
    'Calibration error: expected calibration error of the verdicts, in ten bins, in percent; with a few dozen '
    'recordings it is rough. The probabilities of `white_noise` and `control_orders` come from a map of z-scores that '
    'was fixed beforehand and that nobody has calibrated.',
    '`cwru_drive_end by_bearing`: the protocol `by_bearing` over the faulty bearings of CWRU (the seed deals them), '
    'learned rows learn from the other bearings of the same machine and from the healthy recordings. Rows that learn '
    'nothing, or from no recording of CWRU, are the same as above, on the faults alone.',
    '`speed_off`: a name plate may be off. Rows that do not read the speed have no part. The issue allows a wrong '
    'verdict in 1 of 20 recordings; no verdict is not wrong.',
    'Learned rows: all recordings are brought to the lowest rate among them and its band, at most eight windows of '
    'each recording are taken, and all states weigh alike.',
    'The simulated machines are made by one simulator. To the rows that learn from other machines, two of them are '
    'near relatives of the third. ADI and HIT both used a machine fault simulator of SpectraQuest, in two '
    'laboratories.',
    'CWRU has one healthy recording here, so that its specificity is 0 or 100 %.',
)
VARIANTS = (
    'Variants tried with the scores of these machines in view: none for `white_noise`, `log_mel_adapted`, '
    '`musicnn_linear` and `log_mel_linear`, each run once as its row says. `control_orders`: some thirty variants of '
    'the evidence. `universal`: some twenty-five judges, ten levels of abstaining and three doubts were seen on these '
    'machines, and one constant was chosen by their scores; so were three widths of the lines at whole orders that '
    'its second look leaves out (docs/decisions/zero_shot.md). So ADI, HIT, MFPT and CWRU are development machines '
    'for these rows.',
    'Goals that `universal` misses, and why. ADI 92 %: four light outer races leave no line on any axis, which bounds '
    'it at 87; the ball leaves none, either. HIT 95 %: nothing is wrong, but two of three healthy recordings have no '
    "verdict. That at 1200 rpm shows six lines at its inner race's order, as faint marks of a sound bearing leave them "
    '(z 7.2 beside explained lines; damaged inner races start at 6.3). '
    '`cwru_drive_end by_bearing` 85 %: every inner or outer race that Smith and Randall grade as not or only '
    'partly diagnosable is missed, and of the others one outer race in ten.',
    '`universal_with_machines` was run once as its row says. `white_noise` has one seed except on ADI, because its run '
    'was stopped.',
)
