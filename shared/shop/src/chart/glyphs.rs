//! The few characters that a chart needs, as strokes of a round pen.

use super::canvas::{Canvas, Colour, Point, fine};

/// A capital is so many units high.
const CAPITAL: i32 = 100;
/// From one character to the next.
const GAP: i32 = 26;
const PEN: i32 = 7;
const CURVE_STEPS: i32 = 10;

/// In units, from the top left.
type Unit = (i32, i32);

#[derive(Debug, Clone, Copy)]
enum Stroke {
    /// Straight from point to point.
    Straight(&'static [Unit]),
    /// From the first point to the last, drawn towards each of those between: a quadratic B-spline.
    Curved(&'static [Unit]),
}

struct Glyph {
    width: i32,
    strokes: &'static [Stroke],
}

use Stroke::{Curved, Straight};

const ZERO: Glyph =
    Glyph { width: 58, strokes: &[Curved(&[(29, 0), (58, 0), (58, 100), (0, 100), (0, 0), (29, 0)])] };
const ONE: Glyph = Glyph { width: 34, strokes: &[Straight(&[(2, 22), (28, 0), (28, 100)])] };
const TWO: Glyph = Glyph {
    width: 56,
    strokes: &[Curved(&[(3, 28), (3, 0), (54, 0), (54, 50), (2, 100)]), Straight(&[(2, 100), (56, 100)])],
};
const THREE: Glyph = Glyph {
    width: 55,
    strokes: &[
        Curved(&[(4, 20), (8, 0), (51, 0), (51, 46), (24, 46)]),
        Curved(&[(24, 46), (55, 46), (55, 100), (4, 100), (0, 78)]),
    ],
};
const FOUR: Glyph = Glyph { width: 60, strokes: &[Straight(&[(44, 100), (44, 0), (0, 72), (60, 72)])] };
const FIVE: Glyph = Glyph {
    width: 55,
    strokes: &[
        Straight(&[(50, 0), (10, 0), (5, 46)]),
        Curved(&[(5, 46), (14, 36), (55, 36), (55, 100), (6, 100), (0, 80)]),
    ],
};
const SIX: Glyph = Glyph {
    width: 57,
    strokes: &[
        Curved(&[(44, 0), (2, 30), (1, 68)]),
        Curved(&[(1, 68), (1, 37), (57, 37), (57, 100), (1, 100), (1, 68)]),
    ],
};
const SEVEN: Glyph = Glyph { width: 55, strokes: &[Straight(&[(0, 0), (55, 0), (20, 100)])] };
const EIGHT: Glyph = Glyph {
    width: 56,
    strokes: &[
        Curved(&[(28, 0), (52, 0), (52, 46), (4, 46), (4, 0), (28, 0)]),
        Curved(&[(28, 46), (56, 46), (56, 100), (0, 100), (0, 46), (28, 46)]),
    ],
};
const NINE: Glyph = Glyph {
    width: 57,
    strokes: &[
        Curved(&[(13, 100), (55, 70), (56, 32)]),
        Curved(&[(56, 32), (56, 63), (0, 63), (0, 0), (56, 0), (56, 32)]),
    ],
};
const DOT: Glyph =
    Glyph { width: 6, strokes: &[Straight(&[(3, 99), (3, 99)]), Straight(&[(3, 96), (3, 97)])] };
const BLANK: Glyph = Glyph { width: 12, strokes: &[] };
const KILO: Glyph = Glyph {
    width: 56,
    strokes: &[
        Straight(&[(4, 0), (4, 100)]),
        Straight(&[(52, 0), (4, 62)]),
        Straight(&[(21, 42), (56, 100)]),
    ],
};
const MEGA: Glyph =
    Glyph { width: 72, strokes: &[Straight(&[(2, 100), (2, 0), (36, 66), (70, 0), (70, 100)])] };
const BILLION: Glyph = Glyph {
    width: 56,
    strokes: &[
        Straight(&[(26, 0), (4, 0), (4, 100), (28, 100)]),
        Curved(&[(26, 0), (50, 0), (50, 47), (26, 47)]),
        Straight(&[(4, 47), (28, 47)]),
        Curved(&[(28, 47), (56, 47), (56, 100), (28, 100)]),
    ],
};

/// A character that is not there is a blank.
const fn glyph(character: char) -> &'static Glyph {
    match character {
        '0' => &ZERO,
        '1' => &ONE,
        '2' => &TWO,
        '3' => &THREE,
        '4' => &FOUR,
        '5' => &FIVE,
        '6' => &SIX,
        '7' => &SEVEN,
        '8' => &EIGHT,
        '9' => &NINE,
        '.' => &DOT,
        'K' => &KILO,
        'M' => &MEGA,
        'B' => &BILLION,
        _ => &BLANK,
    }
}

/// How wide a text is, in pixels that are shown, with capitals of this height.
pub(super) fn width_of(text: &str, height: i32) -> i32 {
    (width_in_units(text) * height + CAPITAL - 1) / CAPITAL
}

fn width_in_units(text: &str) -> i32 {
    let glyphs: i32 = text.chars().map(|character| glyph(character).width + GAP).sum();
    (glyphs - GAP).max(0)
}

/// Where a text stands to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Right,
    Middle,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) height: i32,
    pub(super) colour: Colour,
    pub(super) align: Align,
}

/// Writes a text with its top at `y`, in pixels that are shown.
pub(super) fn write(canvas: &mut Canvas, text: &str, (x, y): (i32, i32), style: Style) {
    let units = |units: i32| fine(units * style.height) / CAPITAL;
    let left = match style.align {
        Align::Right => fine(x) - units(width_in_units(text)),
        Align::Middle => fine(x) - units(width_in_units(text)) / 2,
    };
    let mut passed = 0;
    for character in text.chars() {
        let glyph = glyph(character);
        for stroke in glyph.strokes {
            let mut points = points_of(*stroke)
                .into_iter()
                .map(|(across, down)| Point { x: left + units(passed + across), y: fine(y) + units(down) });
            let Some(mut from) = points.next() else { continue };
            for to in points {
                canvas.line(from, to, units(PEN), style.colour);
                from = to;
            }
        }
        passed += glyph.width + GAP;
    }
}

/// The corners of a stroke in units; of a curve, many.
fn points_of(stroke: Stroke) -> Vec<Unit> {
    let controls = match stroke {
        Straight(points) => return points.to_vec(),
        Curved(controls) => controls,
    };
    let ([first, between @ ..], Some(last)) = (controls, controls.last()) else { return Vec::new() };
    let between = between.split_last().map_or(&[][..], |(_, between)| between);
    let mut points = vec![*first];
    let mut from = *first;
    for (place, control) in between.iter().enumerate() {
        let to = between
            .get(place + 1)
            .map_or(*last, |next| (control.0.midpoint(next.0), control.1.midpoint(next.1)));
        points.extend((1..=CURVE_STEPS).map(|step| bent(from, *control, to, step)));
        from = to;
    }
    points
}

/// A point of the quadratic curve from one point to another, drawn towards a third.
fn bent(from: Unit, control: Unit, to: Unit, step: i32) -> Unit {
    let rest = CURVE_STEPS - step;
    let part = |from: i32, control: i32, to: i32| {
        (from * rest * rest + 2 * control * step * rest + to * step * step) / (CURVE_STEPS * CURVE_STEPS)
    };
    (part(from.0, control.0, to.0), part(from.1, control.1, to.1))
}
