//! A raster that is drawn larger than it is shown, so that edges come out smooth without any fractions.

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// A pixel that is shown is the mean of so many by so many that are drawn.
const FINE: i32 = 3;

/// A point in pixels that are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// A rectangle in pixels that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

#[derive(Debug)]
pub(super) struct Canvas {
    width: i32,
    height: i32,
    drawn: Vec<Colour>,
}

/// Pixels that are shown, as pixels that are drawn.
pub(super) const fn fine(pixels: i32) -> i32 {
    pixels * FINE
}

impl Canvas {
    /// Of so many pixels that are shown.
    pub(super) fn new(width: i32, height: i32, background: Colour) -> Self {
        let (width, height) = (fine(width), fine(height));
        let size = index(width) * index(height);
        Self { width, height, drawn: vec![background; size] }
    }

    /// One row, from `x` on; what is beside the canvas is left out.
    fn row(&mut self, x: i32, y: i32, width: i32, colour: Colour) {
        let (start, end) = (x.clamp(0, self.width), (x + width).clamp(0, self.width));
        if !(0..self.height).contains(&y) {
            return;
        }
        let line = index(y) * index(self.width);
        if let Some(pixels) = self.drawn.get_mut(line + index(start)..line + index(end)) {
            pixels.fill(colour);
        }
    }

    pub(super) fn fill(&mut self, area: Area, colour: Colour) {
        for y in fine(area.y)..fine(area.y + area.height) {
            self.row(fine(area.x), y, fine(area.width), colour);
        }
    }

    /// A column with a round top, from one colour above to another below.
    pub(super) fn column(&mut self, area: Area, radius: i32, [above, below]: [Colour; 2]) {
        let (left, top) = (fine(area.x), fine(area.y));
        let (width, height) = (fine(area.width), fine(area.height));
        let radius = fine(radius).min(width / 2).min(height);
        for down in 0..height {
            let inset = if down < radius { radius - half_chord(radius, radius - down) } else { 0 };
            let colour = mixed(above, below, down, height);
            self.row(left + inset, top + down, width - 2 * inset, colour);
        }
    }

    pub(super) fn disc(&mut self, at: Point, radius: i32, colour: Colour) {
        for up in -radius..=radius {
            let half = half_chord(radius, up.abs());
            self.row(at.x - half, at.y + up, 2 * half + 1, colour);
        }
    }

    /// A line with round ends.
    pub(super) fn line(&mut self, from: Point, to: Point, radius: i32, colour: Colour) {
        let (across, down) = (to.x - from.x, to.y - from.y);
        let steps = across.abs().max(down.abs()).max(1);
        for step in 0..=steps {
            let at = Point { x: from.x + across * step / steps, y: from.y + down * step / steps };
            self.disc(at, radius, colour);
        }
    }

    /// The pixels that are shown, row by row: red, green, blue, red and so on.
    pub(super) fn shown(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.drawn.len() / index(FINE * FINE) * 3);
        for y in 0..self.height / FINE {
            for x in 0..self.width / FINE {
                bytes.extend(self.mean(x, y));
            }
        }
        bytes
    }

    fn mean(&self, x: i32, y: i32) -> Colour {
        let mut sums = [0_u32; 3];
        for down in 0..FINE {
            let start = index(fine(y) + down) * index(self.width) + index(fine(x));
            let row = self.drawn.get(start..start + index(FINE)).unwrap_or_default();
            for pixel in row {
                for (sum, part) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(*part);
                }
            }
        }
        let pixels = FINE.unsigned_abs().pow(2);
        sums.map(|sum| u8::try_from((sum + pixels / 2) / pixels).unwrap_or(u8::MAX))
    }
}

/// What lies `done` of `whole` between two colours.
fn mixed(from: Colour, to: Colour, done: i32, whole: i32) -> Colour {
    let mut colour = from;
    for (part, to) in colour.iter_mut().zip(to) {
        let (start, end) = (i32::from(*part), i32::from(to));
        *part = u8::try_from(start + (end - start) * done / whole.max(1)).unwrap_or(*part);
    }
    colour
}

/// Half of what a circle cuts out of a line that passes its middle at this distance.
fn half_chord(radius: i32, distance: i32) -> i32 {
    (radius * radius - distance * distance).max(0).isqrt()
}

fn index(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}
