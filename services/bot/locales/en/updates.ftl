slow-down = ⏳ That is a bit fast for me. Give me a moment: I will answer everything in turn.
try-in-a-moment = ⏳ We are very busy right now. Please tap again in a moment.
message-held-up = ⏳ We were too busy to answer your message. Please send it again.
