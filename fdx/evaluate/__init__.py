"""What a finished model is worth: predictions of windows and recordings, metrics with intervals, figures, the report.

Everything here works on arrays; running a model is the business of other rooms.

    predictions   the table of scored windows, pooled over folds, summed up per recording
    metrics       one JSON-able dict of figures of merit from that table
    plots         matplotlib figures of results; signal_, sample_ and embedding_plots hold those of data and features
    report        one self-contained HTML file, and results.json
"""

from fdx.callable_room import make_callable

# fdx.evaluate(...) is fdx.api.runs.evaluate.
make_callable(__name__)
