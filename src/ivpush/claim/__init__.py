"""Billed lines against suggested ones: matching, facts, findings and the claim to send instead."""
