"""What to conclude about every head; each analysis ends in the same tidy frame."""
