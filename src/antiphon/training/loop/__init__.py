"""What runs a stage of training: Lightning loop, checkpoints, logs, validation, the run folder."""
