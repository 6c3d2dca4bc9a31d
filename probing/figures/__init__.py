"""From the result frame to a picture, in one style."""
