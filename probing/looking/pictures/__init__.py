"""Pictures of one look, drawn as those of results are."""

from probing.looking.pictures.views import draw_look

__all__ = ["draw_look"]
