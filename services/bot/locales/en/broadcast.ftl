# A message to everybody.
broadcast-ask = 📣 <b>Broadcast</b>
    Send me the message: a text, a photo, a video or a post from another channel. I show you first how it will look, then you confirm.
broadcast-open = 📣 №{ $number } · { $done } / { $total }
broadcast-not-such = A message of this kind cannot be sent around. Send a text, a photo, a video or a file.
broadcast-preview =
    { $count ->
        [one] 👆 This is how the shopper will see it.
            It goes to <b>{ $count } person</b>. Shall I send it?
       *[other] 👆 This is how shoppers will see it.
            It goes to <b>{ $count } people</b>. Shall I send it?
    }
broadcast-send =
    { $count ->
        [one] 📣 Send to { $count } person
       *[other] 📣 Send to { $count } people
    }
broadcast-forward = ↪️ Forward with the author's name
broadcast-cancel = ❌ Cancel
broadcast-started = 📣 Broadcast №{ $number } has begun. A message of its own shows how far it is.
broadcast-running = 📣 <b>Broadcast №{ $number } is on its way</b>
broadcast-paused = ⏸ <b>Broadcast №{ $number } is paused</b>
broadcast-done = ✅ <b>Broadcast №{ $number } is done</b>
broadcast-stopped = ⏹ <b>Broadcast №{ $number } was stopped</b>
broadcast-progress = { $bar } { $done } / { $total }
broadcast-numbers = Delivered: { $sent } · bot blocked: { $blocked } · failed: { $failed }
broadcast-pause = ⏸ Pause
broadcast-resume = ▶️ Go on
broadcast-stop = ⏹ Stop for good
