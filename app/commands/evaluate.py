"""`afterimage evaluate`: how good a trained model is on objects it has never seen."""

import argparse
from typing import Any

from app.commands.compare import tell
from app.commands.run import default_out
from app.summary import versions
from app.terminal import Terminal, write_stdout
from calibration.comparing.judge import judge, pooled
from calibration.comparing.run import UNFOLDING_S
from calibration.comparing.table import report_of
from calibration.report import to_json, write_report
from calibration.report_figures import ReportFigures
from engines.errors import InputError


def evaluate(options: argparse.Namespace) -> int:
    """Judge a model on the data of its participant, or several models of one system each on theirs.

    Raises:
        InputError: no model, no such participant, a model that has seen the test objects, or models that cannot be
            pooled; with --reconstruct no generator for their embeddings.
    """
    terminal = Terminal(quiet_stdout=options.json)
    out = default_out(options, "evaluation")
    if len(options.models) > 1 and options.participant:
        raise InputError("expected one model with --participant; of several each is judged on whom it was trained on")
    with terminal.progress("evaluating") as progress:
        each = [
            judge(
                folder,
                options.data,
                options.participant or "",
                options.as_published,
                options.permutations,
                options.encoder,
                options.weights,
                progress.update,
                # What is drawn tells of the picture and of the whole turn; between them a few steps will do.
                UNFOLDING_S if options.reconstruct else None,
            )
            for folder in options.models
        ]
    judged = pooled(each)
    report: dict[str, Any] = {
        "command": "evaluate",
        "model": {
            "folder": options.models[0].name,
            "system": judged.about.system,
            "weights": judged.about.weights,
            "folders": [folder.name for folder in options.models],
        },
        **report_of(judged.plan, judged.records, {}),
        "versions": versions(),
    }
    report["warnings"] = [*judged.warnings, *report["warnings"]]
    figures = None
    if options.reconstruct:
        from app.commands.reconstruct import reconstructed  # brings generators and a renderer along

        with terminal.progress("reconstructing") as progress:
            told = reconstructed(options.models, each, options, out, progress.update)
        report |= {name: told.fields[name] for name in ("reconstructions",)}
        report["tables"] = [*told.fields["tables"], *report["tables"]]
        report["warnings"] = [*report["warnings"], *told.fields["warnings"]]
        report["verdict"] = {"text": told.fields["verdict"], "colour": told.fields["colour"]}
        figures = ReportFigures(sheets=tuple(told.sheets.items()))
    page = write_report(out, report, figures)
    if options.json:
        write_stdout(to_json(report))
    else:
        tell(report, terminal)
    terminal.say(f"report: {page}")
    return 0
