use std::path::PathBuf;

use time::{Duration, macros::datetime};
use tolov_domain::Tiyin;

use super::*;

/// Where the pictures can be looked at.
fn pictures() -> PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")), PathBuf::from);
    let folder = target.join("charts");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A shop whose sales go up and down, in so'm by step.
fn sales(period: Period, soum: impl Fn(usize) -> i64) -> Statistics {
    let now = datetime!(2026-03-04 12:00 UTC);
    let step = |(place, from)| Step { from, sales: Tiyin::from_soum(soum(place)).unwrap(), sold_orders: 1 };
    Statistics {
        period,
        steps: period.starts(now).into_iter().enumerate().map(step).collect(),
        sales: Tiyin::ZERO,
        sold_orders: 0,
        buyers: 0,
        placed: 0,
        placed_and_paid: 0,
        paid_after: Some(Duration::minutes(4)),
        best_by_money: Vec::new(),
        best_by_pieces: Vec::new(),
        is_cut: false,
    }
}

/// A picture's pixels, three bytes each.
fn drawn(name: &str, statistics: &Statistics) -> Vec<u8> {
    let file = sales_chart(statistics).unwrap();
    assert!(file.len() < 100_000, "{} bytes", file.len());
    std::fs::write(pictures().join(name), &file).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), (u32::from(WIDTH), u32::from(HEIGHT)));
    pixels
}

/// How many pixels are orange rather than blue, and blue rather than orange.
fn coloured(pixels: &[u8]) -> (usize, usize) {
    let is = |more: usize, less: usize| {
        pixels.chunks_exact(3).filter(|pixel| i32::from(pixel[more]) - i32::from(pixel[less]) > 100).count()
    };
    (is(0, 2), is(2, 0))
}

#[test]
fn the_best_step_stands_out_among_the_others() {
    let up_and_down = |place: usize| {
        let wave = [3, 5, 2, 0, 8, 13, 11, 4, 6, 1];
        i64::from(wave[place % wave.len()]) * 187_500 + if place == 15 { 173_000 } else { 0 }
    };
    for (name, period) in
        [("days.png", Period::Days), ("weeks.png", Period::Weeks), ("months.png", Period::Months)]
    {
        let (best, others) = coloured(&drawn(name, &sales(period, up_and_down)));
        assert!(best > 3_000 && others > 3 * best, "{name}: {best} orange, {others} blue pixels");
    }
}

#[test]
fn a_shop_without_sales_has_a_chart_without_columns() {
    assert_eq!(coloured(&drawn("empty.png", &sales(Period::Days, |_| 0))), (0, 0));
}

#[test]
fn one_large_sale_does_not_hide_a_small_one_and_every_digit_can_be_written() {
    let (best, others) = coloured(&drawn(
        "large.png",
        &sales(Period::Months, |place| match place {
            0 => 9_876_543_210,
            5 => 1,
            11 => 1_234_000_000,
            _ => 0,
        }),
    ));
    assert!(best > 5_000 && others > 1_000, "{best} orange, {others} blue pixels");
}
