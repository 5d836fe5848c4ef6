"""Production data against the training run: signals, folds with saved state, and what they keep."""
