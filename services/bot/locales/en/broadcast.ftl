# Broadcasts.
broadcast-ask = 📣 <b>Broadcast</b>
    Send me the message: text, a photo, an album, a video or a post from another channel. I’ll show you how it will look before you confirm.
broadcast-open = 📣 #{ $number } · { $done } / { $total }
broadcast-open-draft = 📝 Draft #{ $number }
broadcast-not-such = I can’t broadcast this kind of message. Send text, a photo, an album, a video or a file.
broadcast-preview =
    { $count ->
        [one] 👆 This is how the customer will see it.
            It goes to <b>{ $count } person</b>. Send it?
       *[other] 👆 This is how customers will see it.
            It goes to <b>{ $count } people</b>. Send it?
    }
broadcast-send =
    { $count ->
        [one] 📣 Send to { $count } person
       *[other] 📣 Send to { $count } people
    }
broadcast-forward = ↪️ Forward with the author’s name
broadcast-cancel = ❌ Cancel
broadcast-started = 📣 Broadcast #{ $number } has started. A separate message shows its progress.
broadcast-running = 📣 <b>Broadcast #{ $number } is being sent</b>
broadcast-paused = ⏸ <b>Broadcast #{ $number } is paused</b>
broadcast-done = ✅ <b>Broadcast #{ $number } is done</b>
broadcast-stopped = ⏹ <b>Broadcast #{ $number } was stopped</b>
broadcast-progress = { $bar } { $done } / { $total }
broadcast-numbers = Delivered: { $sent } · bot blocked: { $blocked } · failed: { $failed }
broadcast-pause = ⏸ Pause
broadcast-resume = ▶️ Resume
broadcast-stop = ⏹ Stop
broadcast-part-late = 🖼 This part of the album came too late: the broadcast goes out without it.
