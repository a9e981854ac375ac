"""One recipe for each publisher: which fields become which columns."""
