"""Networks at work: onnxruntime, and what is made of its answers; never Keras."""
