"""Days of plotting in seconds: the real runner and plugins on a simulated machine."""
