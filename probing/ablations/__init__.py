"""What a model loses without some of its heads: masks, gradients, gates, curves."""
