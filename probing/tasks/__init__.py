"""Tasks: texts, the units in them, their labels, splits and metric."""
