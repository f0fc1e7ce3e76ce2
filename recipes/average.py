"""Average the weights of two runs of one network, the second of which went on from the first: a "model soup".

    python recipes/average.py runs/photo-384 runs/photo-448 runs/photo
    python recipes/average.py runs/photo-mean-2 runs/photo-small runs/photo --share 0.33 --last

Wortsman et al., arXiv 2203.05482: weights that share their beginning lie in one basin, and their mean is often better
than either. OUT becomes a run folder with best.weights.h5 and the second run's config.json and history.csv, for
`standout export`.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from standout.workshop.model.weights import load_run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the second run in the mean, 0 … 1 [0.5]")
    parser.add_argument("--last", action="store_true", help="take the second run's last weights, not its best")
    options = parser.parse_args()
    if not 0 <= options.share <= 1:
        raise SystemExit(f"--share must be from 0 to 1; received {options.share}.")
    share = options.share
    model, other = load_run(options.first)[0], load_run(options.second, "last" if options.last else "best")[0]
    shapes = [[values.shape for values in network.get_weights()] for network in (model, other)]
    if shapes[0] != shapes[1]:
        raise SystemExit(f"{options.first} and {options.second} must be runs of one network; their weights differ.")
    model.set_weights(
        [(1 - share) * a + share * b for a, b in zip(model.get_weights(), other.get_weights(), strict=True)]
    )
    options.out.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "history.csv"):
        shutil.copy(options.second / name, options.out / name)
    model.save_weights(options.out / "best.weights.h5")
    print(f"{options.out}/best.weights.h5: the mean of {options.first} and {options.second} ({share:.0%})")


if __name__ == "__main__":
    main()
