"""Probes that find the head word of every word from attention maps (Clark et al. 2019, section 5)."""
