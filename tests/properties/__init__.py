"""Relations that must hold for every encounter, as property tests."""
