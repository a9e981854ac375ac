"""Examples for training: many sources mixed, cropped and augmented, by any number of workers.

``config`` says what to read, ``sources`` reads it into a table of clips, ``sampling`` chooses which
clip an example is, ``stream`` makes the example and ``loader`` the batches.
"""
