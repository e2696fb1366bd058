//! Sales as a picture: a column a day, a week or a month.
//!
//! The picture holds numbers alone, so it reads in every language; the words are in the message around it.

mod axis;
mod canvas;
mod glyphs;

use time::Date;
use tolov_domain::Tiyin;

use self::{
    axis::{Axis, short},
    canvas::{Area, Canvas, Colour},
    glyphs::{Align, Style, width_of, write},
};
use crate::statistics::{Period, Statistics, Step};

/// Pixels; Telegram shows it as it is.
pub const WIDTH: u16 = 1000;
pub const HEIGHT: u16 = 560;

const BACKGROUND: Colour = [255, 255, 255];
const GRID: Colour = [229, 233, 238];
const BASE: Colour = [176, 185, 196];
const TEXT: Colour = [95, 107, 122];
const COLUMN: [Colour; 2] = [[56, 151, 240], [33, 114, 214]];
const BEST: [Colour; 2] = [[255, 159, 64], [240, 118, 28]];
const BEST_TEXT: Colour = [214, 96, 10];

/// The field of the columns.
const FIELD: Area = Area { x: 118, y: 62, width: 840, height: 404 };
const TEXT_HEIGHT: i32 = 21;
const BEST_TEXT_HEIGHT: i32 = 25;
const COLUMN_MAX_WIDTH: i32 = 46;
const RADIUS: i32 = 7;

/// A picture that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the chart cannot be written as PNG: {0}; this is a fault of the program, report it")]
pub struct ChartError(String);

/// A column as it is labelled.
struct Column {
    /// Whole so'm.
    soum: i64,
    label: String,
    /// Below the label.
    year: Option<String>,
}

/// The sales of a period as a PNG.
pub fn sales_chart(statistics: &Statistics) -> Result<Vec<u8>, ChartError> {
    let columns: Vec<Column> = statistics
        .steps
        .iter()
        .enumerate()
        .map(|(place, step)| column(statistics.period, place == 0, step))
        .collect();
    let mut canvas = Canvas::new(i32::from(WIDTH), i32::from(HEIGHT), BACKGROUND);
    let max = columns.iter().map(|column| column.soum).max().unwrap_or_default();
    let axis = Axis::for_max(max);
    draw_axis(&mut canvas, axis);
    draw_columns(&mut canvas, &columns, max, axis);
    draw_labels(&mut canvas, &columns);
    encoded(&canvas)
}

fn column(period: Period, is_first: bool, step: &Step) -> Column {
    let Step { from, sales, .. } = *step;
    let month = u8::from(from.month());
    let (label, year) = match period {
        Period::Days | Period::Weeks => (format!("{:02}.{month:02}", from.day()), None),
        Period::Months => (format!("{month:02}"), year_of(from, is_first)),
    };
    Column { soum: sales.get() / 100, label, year }
}

/// The year is said where it begins, and at the first column.
fn year_of(from: Date, is_first: bool) -> Option<String> {
    (is_first || from.month() == time::Month::January).then(|| from.year().to_string())
}

fn draw_axis(canvas: &mut Canvas, axis: Axis) {
    let style = Style { height: TEXT_HEIGHT, colour: TEXT, align: Align::Right };
    for value in axis.values() {
        let y = bottom() - height_of(value, axis);
        let colour = if value == 0 { BASE } else { GRID };
        canvas.fill(Area { y: y - 1, height: 2, ..FIELD }, colour);
        write(canvas, &short(value), (FIELD.x - 22, y - TEXT_HEIGHT / 2), style);
    }
}

fn draw_columns(canvas: &mut Canvas, columns: &[Column], max: i64, axis: Axis) {
    let width = (pitch(columns) * 7 / 10).clamp(2, COLUMN_MAX_WIDTH);
    // The first of the best ones is enough.
    let best = columns.iter().position(|column| column.soum == max && max > 0);
    for (place, column) in columns.iter().enumerate().filter(|(_, column)| column.soum > 0) {
        // What is sold is seen, however little it is.
        let height = height_of(column.soum, axis).max(3);
        let area = Area { x: middle(columns, place) - width / 2, y: bottom() - height, width, height };
        canvas.column(area, RADIUS, if best == Some(place) { BEST } else { COLUMN });
        if best == Some(place) {
            write_best(canvas, column.soum, (middle(columns, place), area.y));
        }
    }
}

/// The best value above its column, on a background of its own: a line of the axis may pass there.
fn write_best(canvas: &mut Canvas, soum: i64, (x, top): (i32, i32)) {
    let text = Tiyin::from_soum(soum).map(Tiyin::grouped).unwrap_or_default();
    let (width, height) = (width_of(&text, BEST_TEXT_HEIGHT), BEST_TEXT_HEIGHT);
    let x = x.clamp(FIELD.x + width / 2, FIELD.x + FIELD.width - width / 2);
    let y = top - height - 12;
    canvas.fill(Area { x: x - width / 2 - 8, y: y - 6, width: width + 16, height: height + 12 }, BACKGROUND);
    write(canvas, &text, (x, y), Style { height, colour: BEST_TEXT, align: Align::Middle });
}

/// As many labels as there is room for, the newest among them.
fn draw_labels(canvas: &mut Canvas, columns: &[Column]) {
    let style = Style { height: TEXT_HEIGHT, colour: TEXT, align: Align::Middle };
    let widest = columns.iter().map(|column| width_of(&column.label, TEXT_HEIGHT)).max().unwrap_or_default();
    let every = usize::try_from((widest + 18) / pitch(columns) + 1).unwrap_or(1);
    let top = bottom() + 20;
    for (place, column) in columns.iter().enumerate() {
        if (columns.len() - 1 - place).is_multiple_of(every) {
            write(canvas, &column.label, (middle(columns, place), top), style);
        }
        if let Some(year) = &column.year {
            write(canvas, year, (middle(columns, place), top + TEXT_HEIGHT + 14), style);
        }
    }
}

const fn bottom() -> i32 {
    FIELD.y + FIELD.height
}

/// From the middle of one column to that of the next.
fn pitch(columns: &[Column]) -> i32 {
    (FIELD.width / i32::try_from(columns.len().max(1)).unwrap_or(i32::MAX)).max(1)
}

fn middle(columns: &[Column], place: usize) -> i32 {
    let (place, count) =
        (i32::try_from(place).unwrap_or_default(), i32::try_from(columns.len().max(1)).unwrap_or(1));
    FIELD.x + FIELD.width * (2 * place + 1) / (2 * count)
}

fn height_of(value: i64, axis: Axis) -> i32 {
    // So'm of a shop times some hundred pixels is far inside i64.
    let height = value.saturating_mul(i64::from(FIELD.height)) / axis.top().max(1);
    i32::try_from(height).unwrap_or(FIELD.height)
}

fn encoded(canvas: &Canvas) -> Result<Vec<u8>, ChartError> {
    let failed = |error: png::EncodingError| ChartError(error.to_string());
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, u32::from(WIDTH), u32::from(HEIGHT));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&canvas.shown()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod chart_tests;
