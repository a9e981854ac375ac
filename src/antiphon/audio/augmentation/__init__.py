"""Changes of a waveform that keep what it is of: noise, gain, shift, low-pass, polarity.

Every function draws from the generator it is given and from nothing else, so that an example of
a stream is the same whichever process makes it.
"""
