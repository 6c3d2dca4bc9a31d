"""The effect of removing heads from a model: masks, gradients, gates and curves."""
