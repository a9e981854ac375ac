"""Exchange with BaseAL, the framework of BioDCASE Task 4: data, settings, code and results."""
