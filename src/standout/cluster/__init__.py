"""Photos in any storage to finished files, on one machine or many.

`step.py` is free of any engine: a batch of paths becomes rows of the manifest; the model is loaded once per process.
`ray_engine.py` drives it with Ray Data; docs/cluster.md shows another engine.
"""
