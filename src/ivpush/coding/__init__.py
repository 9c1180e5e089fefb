"""From the chart to suggested lines, what is not billable, and open questions."""
