"""Trials: decisions about data and training, tried against no change and against chance."""
