//! What stands where in an SVG.
//!
//! In: the text of an SVG. Out: its texts and shapes with the areas that they cover, in pixels of the
//! finished figure, and checks of them. Texts are measured in the font that figures are set in.
#![allow(dead_code)] // each user needs some of it

use ab_glyph::{Font, FontRef};

/// A rectangle, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub fn width(self) -> f64 {
        self.right - self.left
    }

    pub fn height(self) -> f64 {
        self.bottom - self.top
    }

    pub fn middle(self) -> (f64, f64) {
        (
            (self.left + self.right) / 2.0,
            (self.top + self.bottom) / 2.0,
        )
    }

    /// Whether they share more than a pixel each way.
    fn meets(self, other: Area) -> bool {
        let across = self.right.min(other.right) - self.left.max(other.left);
        let down = self.bottom.min(other.bottom) - self.top.max(other.top);
        across > 1.0 && down > 1.0
    }
}

/// A text.
#[derive(Debug, Clone)]
pub struct Text {
    pub words: String,
    pub area: Area,
    /// Its type size.
    pub size: f64,
    pub fill: String,
    pub bold: bool,
    /// Whether it goes from bottom to top.
    pub upright: bool,
}

/// What a shape is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rect,
    Circle,
    Polygon,
    Polyline,
}

/// A shape.
#[derive(Debug, Clone)]
pub struct Shape {
    pub kind: Kind,
    pub area: Area,
    pub fill: String,
}

/// All of an SVG, in the order of drawing.
#[derive(Debug, Clone)]
pub struct Picture {
    pub width: f64,
    pub height: f64,
    pub texts: Vec<Text>,
    pub shapes: Vec<Shape>,
}

impl Picture {
    /// Reads an SVG that respike drew.
    pub fn read(svg: &str) -> Self {
        let head = svg.split('>').next().expect("a tag");
        let width = number(head, "width").expect("a width");
        let height = number(head, "height").expect("a height");
        let inside = attribute(head, "viewBox").expect("a view box");
        let inside: Vec<f64> = inside.split(' ').filter_map(|n| n.parse().ok()).collect();
        let zoom = inside[2] / width;
        let mut picture = Picture {
            width,
            height,
            texts: Vec::new(),
            shapes: Vec::new(),
        };
        for tag in svg.split('<').skip(2) {
            let (tag, content) = tag.split_once('>').unwrap_or((tag, ""));
            match tag.split(' ').next() {
                Some("text") => picture.texts.push(text(tag, content, zoom)),
                Some("rect" | "circle" | "polygon" | "polyline") => {
                    picture.shapes.push(shape(tag, zoom));
                }
                _ => {}
            }
        }
        picture
    }

    /// The text with just these words.
    #[track_caller]
    pub fn text(&self, words: &str) -> &Text {
        let found = self.texts.iter().find(|text| text.words == words);
        found.unwrap_or_else(|| panic!("`{words}` is not in {:?}", self.words()))
    }

    /// All texts.
    pub fn words(&self) -> Vec<&str> {
        self.texts.iter().map(|text| text.words.as_str()).collect()
    }

    /// Every one of these is a text of its own.
    #[track_caller]
    pub fn says(&self, expected: &[&str]) {
        for words in expected {
            self.text(words);
        }
    }

    /// Each of these is somewhere in the texts, taken one after the other as a sentence that may go on
    /// from line to line.
    #[track_caller]
    pub fn tells(&self, expected: &[&str]) {
        let all = self.words().join(" ");
        for words in expected {
            assert!(all.contains(words), "`{words}` is not in: {all}");
        }
    }

    /// Shapes of a kind and colour.
    pub fn shapes(&self, kind: Kind, fill: &str) -> Vec<&Shape> {
        let shapes = self.shapes.iter();
        shapes
            .filter(|shape| shape.kind == kind && shape.fill == fill)
            .collect()
    }

    /// Every text and every shape lies on the paper, whole.
    #[track_caller]
    pub fn nothing_is_outside(&self) {
        let inside = |area: Area| {
            let (right, bottom) = (self.width + 1.0, self.height + 1.0);
            area.left >= -1.0 && area.top >= -1.0 && area.right <= right && area.bottom <= bottom
        };
        for text in &self.texts {
            assert!(inside(text.area), "{text:?} is cut off");
        }
        for shape in &self.shapes {
            assert!(inside(shape.area), "{shape:?} is cut off");
        }
    }

    /// No text runs into another.
    #[track_caller]
    pub fn no_texts_overlap(&self) {
        for (index, one) in self.texts.iter().enumerate() {
            for other in &self.texts[index + 1..] {
                assert!(!one.area.meets(other.area), "{one:?} meets {other:?}");
            }
        }
    }

    /// Both of the above.
    #[track_caller]
    pub fn is_sound(&self) {
        self.nothing_is_outside();
        self.no_texts_overlap();
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

fn number(tag: &str, name: &str) -> Option<f64> {
    attribute(tag, name)?.parse().ok()
}

fn text(tag: &str, content: &str, zoom: f64) -> Text {
    let number = |name| number(tag, name).expect("a number") / zoom;
    let (x, y, size) = (number("x"), number("y"), number("font-size"));
    let bold = attribute(tag, "font-weight") == Some("bold");
    let words = content.trim().replace("&lt;", "<").replace("&gt;", ">");
    let words = words.replace("&quot;", "\"").replace("&apos;", "'");
    let words = words.replace("&amp;", "&");
    // PNGs, in which type comes out a little wider, are laid out alike.
    let width = width_em(&words, bold) * size * 1.24 / 1.164;
    let start = match attribute(tag, "text-anchor") {
        Some("middle") => -width / 2.0,
        Some("end") => -width,
        _ => 0.0,
    };
    // From capitals to descenders; the baseline is 0.76 type sizes below the place.
    let (above, below) = (0.03 * size, 0.95 * size);
    let upright = tag.contains("rotate(270");
    let area = match upright {
        false => Area {
            left: x + start,
            top: y + above,
            right: x + start + width,
            bottom: y + below,
        },
        true => Area {
            left: x + above,
            top: y - start - width,
            right: x + below,
            bottom: y - start,
        },
    };
    Text {
        words,
        area,
        size,
        fill: attribute(tag, "fill").unwrap_or_default().to_string(),
        bold,
        upright,
    }
}

/// How wide a text is in DejaVu Sans, in type sizes.
fn width_em(words: &str, bold: bool) -> f64 {
    let bytes = match bold {
        true => dejavu::sans::bold(),
        false => dejavu::sans::regular(),
    };
    let font = FontRef::try_from_slice(bytes).expect("a font");
    let units = f64::from(font.units_per_em().expect("known"));
    let advances = words.chars().map(|letter| {
        let glyph = font.glyph_id(letter);
        f64::from(font.h_advance_unscaled(glyph))
    });
    advances.sum::<f64>() / units
}

fn shape(tag: &str, zoom: f64) -> Shape {
    let number = |name| number(tag, name).expect("a number") / zoom;
    let points = || {
        let points = attribute(tag, "points").expect("points").split(' ');
        let pairs = points.filter_map(|point| point.split_once(','));
        let numbers = pairs.map(|(x, y)| {
            let number = |text: &str| text.parse::<f64>().expect("a number") / zoom;
            (number(x), number(y))
        });
        numbers.fold(
            Area {
                left: f64::INFINITY,
                top: f64::INFINITY,
                right: f64::NEG_INFINITY,
                bottom: f64::NEG_INFINITY,
            },
            |area, (x, y)| Area {
                left: area.left.min(x),
                top: area.top.min(y),
                right: area.right.max(x),
                bottom: area.bottom.max(y),
            },
        )
    };
    let (kind, area) = match tag.split(' ').next() {
        Some("rect") => (
            Kind::Rect,
            Area {
                left: number("x"),
                top: number("y"),
                right: number("x") + number("width"),
                bottom: number("y") + number("height"),
            },
        ),
        Some("circle") => {
            let (x, y, radius) = (number("cx"), number("cy"), number("r"));
            let area = Area {
                left: x - radius,
                top: y - radius,
                right: x + radius,
                bottom: y + radius,
            };
            (Kind::Circle, area)
        }
        Some("polygon") => (Kind::Polygon, points()),
        _ => (Kind::Polyline, points()),
    };
    let colour = match kind {
        Kind::Polyline => "stroke",
        _ => "fill",
    };
    Shape {
        kind,
        area,
        fill: attribute(tag, colour).unwrap_or_default().to_string(),
    }
}
