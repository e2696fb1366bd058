# Messages between shoppers and staff.
support-ask = 💬 Write your question: text, a photo or a voice message. Our staff will answer you right here.
support-menu = ⬅️ Menu
support-sent = ✅ Your message has reached our staff, the answer will come here. You can write more.
support-nobody = Sorry, there is nobody to answer questions right now.
support-nobody-now = Sorry, the message could not be passed on just now. Please try again in a moment.
support-not-such = Sorry, I can’t pass on this kind of message. Send text, a photo, a voice message or a file.
support-header = 💬 <b>Message from a customer</b>
    { $writer }
    <i>To answer, press the button or reply to the message below.</i>
support-edited = ✏️ <b>The customer has edited a message</b>
support-answer-header = 💬 <b>Answer from the shop</b>
    <i>To go on, just write: your message will reach our staff.</i>
support-answered = ✅ Your answer has been sent to the customer.
support-shopper-gone = The customer has blocked the bot, so the answer could not be delivered.
support-who-answered = ✅ Answered by { $who }, { $time }
support-reply = ✍️ Write an answer
support-ask-answer = ✍️ Write your answer: your next message goes to { $writer }.
support-part-late = 🖼 This part of the album came too late. Please send it again.
