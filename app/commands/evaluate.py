"""`afterimage evaluate`: how good a trained model is on objects it has never seen."""

import argparse

from app.commands.compare import tell
from app.commands.run import default_out
from app.summary import versions
from app.terminal import Terminal, write_stdout
from calibration.comparing.judge import judge
from calibration.comparing.table import report_of
from calibration.report import to_json, write_report


def evaluate(options: argparse.Namespace) -> int:
    """Judge one model on the data of one participant.

    Raises:
        InputError: no model, no such participant, or a model that has seen the test objects.
    """
    terminal = Terminal(quiet_stdout=options.json)
    out = default_out(options, "evaluation")
    with terminal.progress("evaluating") as progress:
        judged = judge(
            options.model,
            options.data,
            options.participant or "",
            options.as_published,
            options.permutations,
            options.encoder,
            options.weights,
            progress.update,
        )
    report = {
        "command": "evaluate",
        "model": {"folder": options.model.name, "system": judged.about.system, "weights": judged.about.weights},
        **report_of(judged.plan, judged.records, {}),
        "versions": versions(),
    }
    report["warnings"] = [*judged.warnings, *report["warnings"]]
    page = write_report(out, report)
    if options.json:
        write_stdout(to_json(report))
    else:
        tell(report, terminal)
    terminal.say(f"report: {page}")
    return 0
