"""How other projects name and shape their tensors, and what audio their networks take."""
