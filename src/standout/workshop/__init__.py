"""What makes the models: data, training, export, scores. It needs the extra `train`; the product never imports it."""
