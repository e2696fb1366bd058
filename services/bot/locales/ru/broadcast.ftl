# Рассылка всем.
broadcast-ask = 📣 <b>Рассылка</b>
    Пришлите сообщение сюда: текст, фото, альбом, видео или пост из другого канала. Сначала покажу, как оно будет выглядеть, потом вы подтвердите.
broadcast-open = 📣 №{ $number } · { $done } / { $total }
broadcast-open-draft = 📝 Черновик №{ $number }
broadcast-not-such = Такое сообщение разослать нельзя. Пришлите текст, фото, альбом, видео или файл.
broadcast-preview =
    { $count ->
        [one] 👆 Так сообщение увидят покупатели.
            Получит <b>{ $count } человек</b>. Отправляем?
        [few] 👆 Так сообщение увидят покупатели.
            Получат <b>{ $count } человека</b>. Отправляем?
       *[other] 👆 Так сообщение увидят покупатели.
            Получат <b>{ $count } человек</b>. Отправляем?
    }
broadcast-send =
    { $count ->
        [one] 📣 Отправить { $count } получателю
       *[other] 📣 Отправить { $count } получателям
    }
broadcast-forward = ↪️ Переслать с именем автора
broadcast-cancel = ❌ Отменить
broadcast-started = 📣 Рассылка №{ $number } началась. За ходом можно следить в отдельном сообщении.
broadcast-running = 📣 <b>Рассылка №{ $number } идёт</b>
broadcast-paused = ⏸ <b>Рассылка №{ $number } на паузе</b>
broadcast-done = ✅ <b>Рассылка №{ $number } завершена</b>
broadcast-stopped = ⏹ <b>Рассылка №{ $number } остановлена</b>
broadcast-progress = { $bar } { $done } / { $total }
broadcast-numbers = Доставлено: { $sent } · бот заблокирован: { $blocked } · ошибок: { $failed }
broadcast-pause = ⏸ Пауза
broadcast-resume = ▶️ Продолжить
broadcast-stop = ⏹ Остановить совсем
broadcast-part-late = 🖼 Эта часть альбома пришла слишком поздно: рассылка идёт без неё.
