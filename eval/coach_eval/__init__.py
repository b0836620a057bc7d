"""The evaluation harness: a paired verdict on every change to a prompt, a lexicon, a model or a threshold.

The rooms, in the order a run walks through them::

    schema.py      suites, cases, trials, runs: the frozen values that travel
    files.py       YAML and JSON in, with file and line on every refusal; atomic writes out
    tasks/         what a suite exercises: review, rewriting, participants, brief, rehearsal; one module each
    spans.py       matching findings to gold spans, one to one
    relations.py   metamorphic checks: change the notes in a way whose effect is known
    recordings.py  record and replay at the coach's ChatModel
    running.py     cases x repeats -> trials, with budget, concurrency and resume
    baselines.py   the blessed run of each suite, and its history
    verdict.py     regressed, unchanged, improved, inconclusive or unverifiable, with statistics
    reports/       terminal, JSON, JUnit XML, Markdown comment, static HTML
    mutation.py    which rules would nobody miss?    blame.py  which hunk lost the findings?
    plugin.py      the pytest marker                 cli.py    ``coach eval``
"""
