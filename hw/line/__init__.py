"""The line process: every audio sample of the box, and the signalling of trunks."""
