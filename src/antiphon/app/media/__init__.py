"""What a person sees and hears: spectrograms, playable audio and long overviews."""
