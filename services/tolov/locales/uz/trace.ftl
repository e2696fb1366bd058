# `tolov trace` nima deydi. Har bir matn bitta satrda.

trace-nothing = Bu buyurtma raqami hech kimga ma’lum emas
trace-away = So‘rab bo‘lmadi: { $reason }
trace-registered = Xaridor { $user } uchun ro‘yxatga olindi: { $amount } so‘m, mahsulotlar { $products }
trace-ended = Buyurtma holati: { $status }
trace-prepared = CLICK { $attempt }-urinishni tayyorladi: tranzaksiya { $transaction }, to‘lov raqami { $paydoc }
trace-attempt-paid = { $attempt }-urinish to‘landi: tranzaksiya { $transaction }, to‘lov raqami { $paydoc }
trace-attempt-cancelled = CLICK { $attempt }-urinishni bekor qildi, xato { $error }
trace-attempt-given-up = { $attempt }-urinish buyurtma bilan birga yopildi
trace-callback = { $peer } dan { $action }: { $fields } uchun javob { $answer }
trace-unplaced = CLICK buyurtmasi topilmagan pulni oldi: { $peer } dan { $action }: { $fields } uchun javob { $answer }
trace-taken-back = Tiklash { $peer } bilgan to‘lovni qaytardi: { $fields }
trace-event = { $event } hodisasi yozildi
trace-event-sent = Shina { $event } ni tasdiqladi
trace-event-waits = { $event } shinani kutmoqda; rad etishlar: { $refusals }, oxirgisi: { $error }
trace-waiting = { $queue }: barcha buyurtmalarning { $ready } xabari kutmoqda, { $retrying } tasi takrorlanmoqda
trace-parked = { $message } { $retries } ta takrordan keyin { $queue } da chetga olindi: { $reason }
trace-placed = Xaridor { $user } { $amount } so‘mga buyurtma berdi: { $lines }
trace-history = { $what }, kim: { $by } (hodisa { $event })
trace-stands = Buyurtma holati: { $stage }, qoldiq: { $stock }, to‘lov: { $payment }, yetishmayotgan mahsulotlar: { $missing }
trace-staff = Xodim { $staff }: { $action }
trace-told = { $notification } yuborildi, xabar { $message }
trace-undeliverable = { $notification } ni yetkazib bo‘lmaydi: { $reason }
trace-not-told = { $notification } hali yuborilmagan
trace-message = Buyurtma xabari ({ $place }): { $message }
trace-operator = Operator { $user } { $command } ni bajardi: { $details }
