"""For who writes rules: advice, cases, mutation, differences, pages, schemas, and CMS releases."""
