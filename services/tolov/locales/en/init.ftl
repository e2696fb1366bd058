# What `tolov init` says. One line a text.

init-intro = Each answer is checked as you give it. Enter alone leaves a setting open. Nothing is written before the last answer; Ctrl-C ends.
init-written = { $path } is written; only you can read it. Passwords are made up; all other settings are explained in it.
init-ended = The answers ended: nothing was written.
init-left = { $name } is left open: write it into the file.
init-next = Next: mend in the file what is marked ✗, look again with the same command, then start the shop: { $command }
