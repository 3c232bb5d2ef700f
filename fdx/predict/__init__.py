"""Trained networks and fault orders, asked about new recordings and tables: one way in, one face out.

    from fdx.predict.load import load_predictor      # also load_single, which refuses the workdir of several folds
    from fdx.predict.zero_shot import zero_shot

    load_predictor(run_or_file, step='best') -> AnyPredictor      # workdir of one fold, .tflite or .onnx

    predictor.diagnose(recording_or_path, *, sample_rate_hz=None, variable=None, channel=None, text_format=None,
                       hop_s=None, speed_rpm=None, bearing=None, speed_range_rpm=None) -> Result

    zero_shot(recording_or_path, *, bearing=None, speed_rpm=None, speed_range_rpm=None, known_orders=(),
              other_bearings=(), healthy=(), abstain=True, sample_rate_hz=None, variable=None, channel=None,
              text_format=None, binary_format=None) -> ZeroShotDiagnosis

`bearing` is a name of fdx.signal.bearings.BEARINGS, a BearingGeometry, or text that describes one; `speed_rpm` a number
or 'estimate'. A predictor of tables takes the path of a CSV file and no other option; an option that a model does not
read is a ConfigError. Every result (fdx.predict.result.Result) has

    .label           the state that is diagnosed, or None: there is no verdict, and .reason says why
    .probabilities   {class name: mean over the windows}, or None: no verdict (zero_shot: nothing could be judged)
    .windows         one JSON-able row per window (per reading of a table)
    .summary         the row of the whole recording or table
    .rows()          [*windows, summary], the lines that launch.predict prints
    .to_dict()       file, label, reason, probabilities, summary and windows, JSON-able
    .plot()          a matplotlib Figure: the waveform, and what each window says
    .recording       the Recording that was diagnosed (None for tables)

A table of several rows has no label of its own: each of its `windows` has one.

    predictor, load   the face, and from a path to it       backends/          checkpoint, LiteRT, onnxruntime
    source, condition what a user hands over                channels           a file's channels in the model's order
    diagnose          recording -> windows -> network       zero_shot          recording -> evidence -> universal/
    diagnosis, zero_shot_diagnosis, tables                  the results; findings, verdicts and votes are their parts
"""
