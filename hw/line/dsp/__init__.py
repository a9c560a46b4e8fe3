"""Signal processing on frames of 160 samples, for all channels at once."""
