"""`afterimage compare`: every system on every participant from every seed, resumable, and one table of it."""

import argparse
from pathlib import Path
from typing import Any

import torch

from app.commands.compare_recordings import compare_recordings
from app.commands.run import default_out
from app.headless import stop_on_signals
from app.summary import versions
from app.tables import lines_of
from app.terminal import Terminal, write_stdout
from calibration.comparing.plan import Outcome, Plan, carry_out, plan
from calibration.comparing.run import Record, Run
from calibration.comparing.table import origin_line, report_of
from calibration.report import to_json, write_report
from engines.errors import InputError, WorkError


def compare(options: argparse.Namespace) -> int:
    """Do the runs that are not done, and write the table; the same call goes on where the last one ended.

    With recordings instead of --data, see `compare_recordings`.

    Raises:
        InputError: neither or both, no such participant, system or size, or runs of other data under --out.
        WorkError: not one run is done.
    """
    if bool(options.files) == bool(options.data):
        raise InputError(
            "expected recordings with --event CLASS=PATTERN, or --data DIR; got "
            + ("both" if options.data else "neither")
        )
    if options.files:
        return compare_recordings(options)
    terminal = Terminal(quiet_stdout=options.json)
    out = default_out(options, "comparison")
    wanted = plan(
        options.data,
        out,
        names(options.participants),
        names(options.systems),
        options.seeds,
        options.size,
        options.permutations,
        options.encoder,
        options.weights,
        options.as_published,
    )
    comparison = Underway(wanted, out, options.note, terminal)
    comparison.go_on(options.jobs)
    report = comparison.report()
    if options.json:
        write_stdout(to_json(report))
    else:
        tell(report, terminal)
    terminal.say(f"report: {out / 'report.html'}; runs: {wanted.folder}")
    if not comparison.records:
        raise WorkError(f"not one of {len(wanted.orders)} runs is done; their tracebacks are in {wanted.folder}")
    return 0


class Underway:
    """What is done of a plan, with a report that is written anew after every run."""

    def __init__(self, wanted: Plan, out: Path, note: str, terminal: Terminal) -> None:
        self.plan = wanted
        self.records: dict[Run, Record] = wanted.records()
        self.failures: dict[Run, str] = {}
        self._out = out
        self._note = note
        self._terminal = terminal

    def go_on(self, jobs: int) -> None:
        """Do what is not done, until it is or somebody says stop."""
        missing = [order for order in self.plan.orders if order.run not in self.records]
        self._terminal.say(
            f"{len(missing)} of {len(self.plan.orders)} runs to do in {self.plan.size} size, {jobs} at a time"
        )
        if missing and self.plan.size == "full" and not torch.cuda.is_available():
            self._terminal.warn("full size without a GPU takes hours a run; --size pocket takes minutes")
        with stop_on_signals() as stop, self._terminal.progress("comparing") as progress:

            def told(outcome: Outcome) -> None:
                self._tell(outcome)
                done = len(self.records) + len(self.failures)
                progress.update(done / len(self.plan.orders), f"{done} of {len(self.plan.orders)} runs")
                self.report()

            carry_out(missing, jobs, told, stop.is_set)

    def report(self) -> dict[str, Any]:
        """Written beside the runs."""
        report = {
            "command": "compare",
            **report_of(self.plan, self.records, self.failures, self._note),
            "versions": versions(),
        }
        write_report(self._out, report)
        return report

    def _tell(self, outcome: Outcome) -> None:
        run = outcome.order.run
        if outcome.record is None:
            self.failures[run] = outcome.reason
            self._terminal.warn(f"{run} failed: {outcome.reason}")
            return
        self.records[run] = outcome.record
        rows = [row for row in outcome.record.evaluation.rows if row.seen_s is None and not row.control]
        self._terminal.say(
            f"{run}: {rows[0].metric} {rows[0].mean:.1%} of {rows[0].trials} (chance {rows[0].chance:.1%}), "
            f"{outcome.record.about['fit_s']:.0f} s to fit"
        )


def tell(report: dict[str, Any], terminal: Terminal) -> None:
    """The tables as text."""
    terminal.say(origin_line(report["data"]))
    for table in report["tables"]:
        terminal.say(f"\n{table['title']}")
        for line in lines_of(table):
            terminal.say(line)
    for text in report["warnings"]:
        terminal.warn(text)


def names(text: str | None) -> tuple[str, ...]:
    """Names between commas; none for no text."""
    return tuple(one.strip() for one in (text or "").split(",") if one.strip())
