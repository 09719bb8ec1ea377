"""The table.

In: lines, and the figures of all rounds. Out: entries with the median over the rounds, the ratio of the medians and
each round's figures, to be written as JSON; and the same as a Markdown table for people.
"""

import statistics

HEAD = "| what | unit | peer | the peer | respike | ratio |\n|---|---|---|---|---|---|"
NOTES = {
    "continual": "Continual learning: LR index 2, OR-subsample 1:10, 450 new samples and 2560 replays. The peers run "
                 "the frozen layers over the new samples in every epoch, as published; respike once in a run (its "
                 "latents). The peers' replays are spikes of their own untrained network: the time of dense code does "
                 "not depend on them.",
    "cold-start": "Cold start: of h5py and NumPy, on one thread, the time of 1000 samples multiplied by ten. The file "
                  "is in the system's cache.",
    "memory": "Peak memory: of the whole process, in millions of bytes.",
    "codecs": "Codecs: 1000 rasters of 100 steps and 100 units at a time, a bit for each cell.",
}
ALONE = "continual, learning stage alone, ms a sample"


def shown(value):
    """Three digits that matter."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def shown_ratio(value):
    if value is None:
        return "–"
    return f"{value:.1f}×" if value < 9.95 else f"{value:.0f}×"


def median(values):
    """Of the rounds that have a figure."""
    measured = [value for value in values if value is not None]
    return statistics.median(measured) if measured else None


def entry(line, peer, theirs, ours):
    """What is known of a line beside one peer; `theirs` and `ours` have a figure, or none, for each round."""
    peers, respikes = median(theirs), median(ours)
    ratio = peers / respikes if peers is not None and respikes is not None else None
    return {"what": line.what, "unit": line.unit, "peer": peer, "peer_median": peers, "respike_median": respikes,
            "ratio": ratio, "peer_rounds": theirs, "respike_rounds": ours}


def entries(lines, rounds):
    """An entry for each line and peer; a round is the figures of the peers and those of respike."""
    found = []
    for line in lines:
        ours = [respikes.get(line.what) for _, respikes in rounds]
        for name, (peer, figure) in line.peers.items():
            found.append(entry(line, name, [peers.get((peer.name, figure)) for peers, _ in rounds], ours))
        if not line.peers:
            found.append(entry(line, None, [None] * len(rounds), ours))
    return found


def notes(rows, rounds):
    """What must be known to read the table."""
    found = [NOTES[row] for row in rows if row in NOTES]
    for peer in ("PyTorch", "JAX"):
        alone = median([peers.get((peer, ALONE)) for peers, _ in rounds])
        if alone is not None:
            found.append(f"A training step of the learning stage alone (LR index 2) takes {peer} {shown(alone)} ms a "
                         "sample.")
    return found


def row(of):
    cells = [of["what"], of["unit"], of["peer"] or "–", shown(of["peer_median"]), shown(of["respike_median"]),
             shown_ratio(of["ratio"])]
    return f"| {' | '.join(cells)} |"


def markdown(found, about, notes):
    """What was measured on above the table, and what must be known to read it below."""
    parts = ["\n".join(f"- {line}" for line in about), "\n".join([HEAD, *map(row, found)])]
    if notes:
        parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts) + "\n"
