"""Examples for the OpenAPI document: each is a request that works as it stands."""

from __future__ import annotations

#: A PNG of 16 × 16 dark pixels, with nobody in it.
DARK_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAQklEQVQoFZXBMQEAAAABQVbzx9E/lwzuHKqHQ/VwqB4O1cOhejhUD4fq"
    "4VA9HKqHQ/VwqB4O1cOhejhUD4fq4VA9BjYPBbG7/42EAAAAAElFTkSuQmCC"
)
CUT_OUT = {"image": DARK_PNG, "background": "white", "format": "jpg"}
MASK = {"image": DARK_PNG}
ID_PHOTO = {"image": DARK_PNG, "spec": "us-passport"}
SPECS = {"specs": [{"name": "us-passport", "title": "United States: passport", "width_mm": 51, "height_mm": 51}]}
MODELS = {"models": [{"name": "photo", "default": True, "card": {"name": "photo", "license": "Apache-2.0"}}]}
