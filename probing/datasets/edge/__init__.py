"""Tasks on spans and pairs of spans, from data in the formats of edge probing (Tenney et al., 2019)."""
