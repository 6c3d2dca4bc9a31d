"""How vectors are read: probes fitted to every head of a layer together."""
