"""respike beside PyTorch, JAX, and h5py with NumPy, in turn on this machine.

In: an SHD-layout file with 700 channels (`--data`). Out: a Markdown table of medians and ratios on stdout (and in
`--out`), and every round's figures as JSON beside it. In each round the peers run first, each in a process of its own,
and respike after them. It needs only the standard library; the peers need requirements.txt.
"""

import argparse
import json
import sys
from pathlib import Path

import machine
import other_work
import peer_side
import report
import respike_side
from failed import Failed
from rows import NEEDED_BY_ALL, ROWS


def arguments():
    parser = argparse.ArgumentParser(description="respike beside its peers, on the same machine and in turn")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE.h5", help="SHD layout, 700 channels")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--repeats", type=int, default=15, help="steps that a peer's median is taken of (15)")
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="write the table here too, and FILE.json")
    parser.add_argument("--only", metavar="ROW,...", default=",".join(ROWS), help=f"of {','.join(ROWS)}")
    given = parser.parse_args()
    given.only = given.only.split(",")
    unknown = [row for row in given.only if row not in ROWS]
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    if given.rounds < 1 or given.repeats < 1:
        parser.error("--rounds and --repeats must be at least 1")
    if not given.data.is_file():
        parser.error(f"there is no file {given.data}")
    return given


def say(what):
    print(what, file=sys.stderr, flush=True)


def without_big(rows):
    """The rows that need no SHD-sized file."""
    return {row: lines for row, lines in rows.items() if row not in ("cold-start", "memory")}


def about_data(data, facts):
    return (f"Data: {data.name}, {facts['samples']} samples of {facts['events_a_sample']:.0f} events, "
            f"{facts['channels']} channels.")


def prepared(rows, data):
    """The rows that can be measured, the SHD-sized file, and sentences about the data and about what is left out."""
    lacking = peer_side.missing(NEEDED_BY_ALL)
    if lacking:
        left_out = [row for row in rows if row not in without_big(rows)]
        notes = [f"{', '.join(left_out)} left out: no SHD-sized file is made, {', '.join(lacking)} missing."]
        return without_big(rows), "", [f"Data: {data.name}."], notes * bool(left_out)
    big, facts = peer_side.make_big(data, respike_side.WORK)
    return rows, big, [about_data(data, facts)], []


def all_rounds(given, there, lines, big):
    """Figures of the peers and of respike for each round, and sentences on what went wrong."""
    rounds, notes, data = [], [], given.data.resolve()
    for number in range(1, given.rounds + 1):
        start = other_work.moment()
        say(f"round {number} of {given.rounds}: {', '.join(peer.name for peer in there) or 'no peers'}")
        theirs, peers_failed = peer_side.measure(there, data, big, given.repeats)
        say(f"round {number} of {given.rounds}: respike")
        ours, respike_failed = respike_side.measure(lines, data, big)
        rounds.append((theirs, ours))
        notes += peers_failed + respike_failed
        notes += other_work.note(number, other_work.cores_of_others(start, other_work.moment()))
    return rounds, list(dict.fromkeys(notes))


def write_json(path, entries, about, notes, rounds):
    peers = [{f"{peer}: {figure}": value for (peer, figure), value in theirs.items()} for theirs, _ in rounds]
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"about": about, "rows": entries, "notes": notes, "all_figures_of_peers_by_round": peers}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def main():
    given = arguments()
    try:
        rows, big, about, left_out = prepared({row: ROWS[row] for row in ROWS if row in given.only}, given.data)
    except Failed as failed:
        sys.exit(str(failed))
    there, no_peers = peer_side.peers_there(rows)
    lines = [line for of_row in rows.values() for line in of_row]
    say("building respike")
    lines_there, not_built = respike_side.built(lines)
    rounds, mishaps = all_rounds(given, there, lines_there, big)
    about, entries = machine.description() + about, report.entries(lines, rounds)
    notes = report.notes(rows, rounds) + left_out + no_peers + not_built + mishaps
    table = report.markdown(entries, about, notes)
    print(table, end="")
    write_json(given.out.with_suffix(".json") if given.out else respike_side.WORK / "compare.json",
               entries, about, notes, rounds)
    if given.out:
        given.out.write_text(table)


if __name__ == "__main__":
    main()
