"""Whom to ask: loading a model, finding its heads, reading them during a forward pass."""
