"""What to ask: texts, the units in them, labels, splits and the metric."""
