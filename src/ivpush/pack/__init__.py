"""The rule pack: rules/ read and checked whole, and what is in force on a date for a payer."""
