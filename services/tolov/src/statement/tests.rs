use time::macros::datetime;
use tolov_domain::{ClickPaydocId, PrepareId, refund::api::Attempt};

use super::*;
use crate::statement::{
    columns::named,
    compare::{Difference, compare},
    table,
};

fn read(csv: &[u8]) -> Statement {
    let rows = table::rows(csv.to_vec()).unwrap();
    let (columns, first) = Columns::find(&rows, &[]).unwrap();
    Statement::read(&columns, rows, first)
}

fn id(number: i64) -> ClickPaymentId {
    ClickPaymentId::try_new(number).unwrap()
}

fn soum(amount: i64) -> Tiyin {
    Tiyin::from_soum(amount).unwrap()
}

/// An attempt of order `payment` for 30,000 so'm.
fn attempt(payment: i64, is_paid: bool) -> Attempt {
    Attempt {
        prepare_id: PrepareId::try_new(payment).unwrap(),
        order_id: OrderId::try_new(payment).unwrap(),
        click_paydoc_id: ClickPaydocId::try_new(payment).unwrap(),
        amount_tiyin: soum(30_000),
        prepared_at: datetime!(2026-11-23 12:00 +5),
        is_paid,
    }
}

const RUSSIAN: &str = "Выписка за 23.11.2026;;;;\n\n№ платежа;Дата и время;Сумма;Номер заказа;Статус\n\
    4710103925;23.11.2026 12:01:30;30 000,00;1001;Успешно\n\
    4710103926;23.11.2026 12:02;1 234 567,5 сум;1002;Подтверждён\n\
    4710103927;23.11.2026 12:03:00;500.00;1003;Отменён\n\
    4710103928;23.11.2026 12:04:00;700;1004;В обработке\n\
    Итого;;1 265 267,50;;\n";

#[test]
fn a_russian_export_with_a_title_a_byte_order_mark_and_totals_is_read() {
    for text in [RUSSIAN.to_owned(), format!("\u{feff}{RUSSIAN}"), RUSSIAN.replace('\n', "\r\n")] {
        let statement = read(text.as_bytes());
        assert_eq!(statement.unreadable, []);
        let sums: Vec<(i64, i64, bool)> =
            statement.payments.iter().map(|(id, it)| (id.get(), it.amount.get(), it.is_reversed)).collect();
        let expected = [
            (4_710_103_925, 3_000_000, false),
            (4_710_103_926, 123_456_750, false),
            (4_710_103_927, 50_000, true),
        ];
        assert_eq!(sums, expected);
        assert_eq!(statement.left_out.get("в обработке"), Some(&1));
        assert_eq!(
            statement.span,
            Some(datetime!(2026-11-23 12:01:30 +5)..datetime!(2026-11-23 12:03 +5)),
            "in Tashkent"
        );
    }
    let windows = encoding_rs::WINDOWS_1251.encode(RUSSIAN).0;
    assert_eq!(read(&windows).payments.len(), 3, "as Excel saves it in Windows");
}

#[test]
fn english_and_uzbek_exports_are_read() {
    let english =
        "payment_id,amount,merchant_trans_id,date,status\n4710103925,30000.00,1001,2026-11-23T12:01:30,2\n";
    let uzbek = "To‘lov raqami\tSumma\tSana\tHolati\n4710103925\t30'000,00\t2026-11-23\tTo‘langan\n";
    for text in [english, uzbek] {
        let statement = read(text.as_bytes());
        assert_eq!(
            statement.payments.get(&id(4_710_103_925)).map(|it| it.amount),
            Some(soum(30_000)),
            "{text}"
        );
    }
}

#[test]
fn columns_that_are_not_found_are_named_and_can_be_given() {
    let rows = table::rows("Документ;Сумма;Когда\n1;2;2026-11-23\n".into()).unwrap();
    let refused = Columns::find(&rows, &[]).unwrap_err().to_string();
    assert!(refused.contains("payment, time") && refused.contains("--column"), "{refused}");
    let given = [named("payment=документ").unwrap(), named("time=КОГДА").unwrap()];
    assert_eq!(Columns::find(&rows, &given).unwrap().1, 1);
    let wrong = [named("payment=Документ").unwrap(), named("time=Число").unwrap()];
    assert!(Columns::find(&rows, &wrong).is_err(), "a header that is given must be there");
    assert!(named("colour=x").is_err() && named("payment").is_err());
}

#[test]
fn rows_that_cannot_be_read_are_named_and_the_others_are_compared() {
    let statement = read(
        "payment id,amount,date\n1,30000,2026-11-23\n2,thirty,2026-11-23\n3,30000,yesterday\n-4,1,2026-11-23\n5\n\
         6,1.234,2026-11-23\n1,29999,2026-11-23\n7,-30000,2026-11-23\n"
            .as_bytes(),
    );
    let lines: Vec<usize> = statement.unreadable.iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 8], "{:?}", statement.unreadable);
    // Three digits after a mark are a group.
    assert_eq!(statement.payments.get(&id(6)).map(|it| it.amount), Some(soum(1_234)));
    assert!(statement.payments.get(&id(7)).unwrap().is_reversed, "a sum below zero went back");
}

#[test]
fn an_xlsx_is_read_as_the_same_payments() {
    let workbook = include_bytes!("../../../../checks/fuzz/corpus/statement/workbook.xlsx");
    let rows = table::rows(workbook.to_vec()).unwrap();
    let (columns, first) = Columns::find(&rows, &[]).unwrap();
    let statement = Statement::read(&columns, rows, first);
    assert_eq!(statement.unreadable, []);
    let payment = statement.payments.get(&id(4_710_103_925)).unwrap();
    assert_eq!(
        (payment.amount, payment.order),
        (Tiyin::parse_soum("30000.5").unwrap(), OrderId::try_new(1001).ok())
    );
    assert_eq!(statement.span, Some(datetime!(2026-11-23 12:01:30 +5)..datetime!(2026-11-23 12:01:30 +5)));
    for broken in [&workbook[..900], b"PK\x03\x04 and nothing more", b"a\0b"] {
        assert!(table::rows(broken.to_vec()).is_err());
    }
}

#[test]
fn both_sides_are_compared() {
    let statement = read(
        "payment id,amount,date,order\n1,30000,2026-11-23,1\n2,30000,2026-11-23,2\n3,29999,2026-11-23,3\n\
         4,30000,2026-11-23,4\n5,-30000,2026-11-23,5\n6,-30000,2026-11-23,6\n"
            .as_bytes(),
    );
    let attempts = [
        attempt(1, true),
        attempt(2, false),
        attempt(3, true),
        attempt(5, true),
        attempt(6, false),
        attempt(7, true),
        attempt(8, false),
    ];
    let (differences, reports) = compare(&statement, &attempts);
    let kinds: Vec<&str> = differences.iter().map(Difference::kind).collect();
    assert_eq!(kinds, ["unknown_payment", "not_in_statement"]);
    let reported: Vec<(i64, bool)> =
        reports.iter().map(|report| (report.payment_id.get(), report.is_reversed)).collect();
    assert_eq!(reported, [(2, false), (3, false), (5, true)]);
    let words: Vec<String> =
        reports.into_iter().map(|report| Difference::Reported(report, None).to_string()).collect();
    assert!(words[0].starts_with("order 2: paid at CLICK") && words[1].contains("29\u{a0}999"), "{words:?}");
}

#[test]
fn what_was_begun_outside_of_the_span_is_not_missing_in_the_statement() {
    let mut statement =
        read("payment id,amount,date\n1,30000,2026-11-23 12:10\n2,30000,2026-11-23 14:00\n".as_bytes());
    let at = |time| Attempt { prepared_at: time, ..attempt(9, true) };
    let missing = |statement: &Statement, time| compare(statement, &[at(time)]).0.len();
    assert_eq!(missing(&statement, datetime!(2026-11-23 12:00 +5)), 2, "before the first payment");
    assert_eq!(missing(&statement, datetime!(2026-11-23 13:00 +5)), 3);
    assert_eq!(missing(&statement, datetime!(2026-11-23 13:45 +5)), 2, "under way when it was exported");
    let day = Day::parse("2026-11-23").ok();
    statement.widen(day, day);
    assert_eq!(missing(&statement, datetime!(2026-11-23 23:59 +5)), 3, "the whole day");
}
