slow-down = ⏳ That is a bit fast for me. Give me a moment: I will answer everything in turn.
