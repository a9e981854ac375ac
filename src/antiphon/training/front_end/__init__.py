"""The features of :mod:`antiphon.audio.features` in torch, for training and export alike."""
