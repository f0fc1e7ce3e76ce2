"""Writes `src/standout/assets/mtcnn.npz`: the weights of the face detector of `id-photo`, as half-precision arrays.

They come from the package mtcnn 1.0.0 (MIT, its notice lies beside the file), where they are pickles; so the file is
made once, here, from wheels whose contents are checked by hash, and the package that users install reads no pickle and
needs none of the three:

    pip install --no-deps mtcnn==1.0.0 joblib==1.6.0 lz4==4.4.5
    python tools/convert_mtcnn.py
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import sys
from pathlib import Path

import numpy as np

ASSETS = Path(__file__).parents[1] / "src/standout/assets"
#: SHA-256 of the files of weights in mtcnn 1.0.0.
SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}


def main() -> None:
    import joblib

    package = importlib.metadata.distribution("mtcnn")
    arrays: dict[str, np.ndarray] = {}
    for name, expected in SHA256.items():
        data = Path(str(package.locate_file(f"mtcnn/assets/weights/{name}.lz4"))).read_bytes()
        if hashlib.sha256(data).hexdigest() != expected:
            sys.exit(f"The weights of {name} are not those of mtcnn 1.0.0.")
        for number, array in enumerate(joblib.load(io.BytesIO(data))):
            arrays[f"{name}/{number:02}"] = array.astype(np.float16)
    np.savez(ASSETS / "mtcnn.npz", **arrays)
    text = next(file for file in package.files or [] if file.name == "LICENSE")
    (ASSETS / "mtcnn.LICENSE").write_text(text.read_text(), "utf-8")
    print(f"{len(arrays)} arrays, SHA-256 {hashlib.sha256((ASSETS / 'mtcnn.npz').read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
