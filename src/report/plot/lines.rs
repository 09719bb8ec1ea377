//! Lines and points in panels.
//!
//! In: series of points with names, colours and marks. Out: a figure with one panel for each group of
//! series, all on the same y axis, and one legend for all. No mark hides another: at labels, series stand
//! side by side; elsewhere marks that would cover one are moved sideways, with their error bars, as far as the panel
//! lets them.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::PlotError;
use super::axes::{Axes, Scale, Tick, logarithmic_ticks};
use super::canvas::{Canvas, Figure};
use super::legend::{Key, Legend};
use super::marks::Mark;
use super::panels::{PanelGrid, PanelPlace, Title, Y_NAME_LEFT, panel_width};
use super::style::{Type, series_colour};

/// Half the width of a mark.
const MARK_SIZE: f64 = 8.0;
/// Middles of marks are no nearer to one another: a mark's width, and a little paper between.
const APART: f64 = 2.0 * MARK_SIZE + 2.0;
/// Series stand no further apart at a label.
const SIDE_BY_SIDE: f64 = 20.0;
/// On a logarithmic axis, so many numbers.
const MOST_TICKS: usize = 24;
/// Of a long series, so many points have marks.
const MOST_MARKS: usize = 8;

/// Panels with lines and points.
#[derive(Debug, Clone, PartialEq)]
pub struct LineFigure {
    /// What the y axis of all panels shows, with its unit.
    pub y_name: String,
    /// From where to where it goes.
    pub y_limits: (f64, f64),
    /// At most so many panels side by side; fewer where marks would not find room.
    pub columns: usize,
    /// From left to right, row by row.
    pub panels: Vec<LinePanel>,
}

/// A panel.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePanel {
    /// Above it.
    pub title: String,
    /// By how many marks one that would hide another may stand beside its place; by any where nothing is said.
    pub most_aside: Option<f64>,
    /// Below the title, such as what stands behind the points; may be empty.
    pub remark: String,
    /// Below it.
    pub x: LineAxis,
    /// What is drawn, the last on top.
    pub series: Vec<Series>,
}

/// What the x axis of a panel shows.
#[derive(Debug, Clone, PartialEq)]
pub enum LineAxis {
    /// Numbers from where to where, and their name with its unit.
    Numbers(String, (f64, f64)),
    /// The same on a logarithmic axis; the limits are above 0.
    Logarithm(String, (f64, f64)),
    /// Labels at 0, 1, 2 and so on, and what they are.
    Labels(String, Vec<String>),
}

/// Points with the same meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// For the legend; series of the same look and name share an entry, and one without a name has none.
    /// A series without points is there for its entry alone.
    pub name: String,
    /// 0 to 11, of which those who see fewer colours can tell 0 to 6 apart.
    pub colour: usize,
    /// Whether points are joined.
    pub line: LineStyle,
    /// What stands at each point; of a series with many, at some.
    pub mark: Option<Mark>,
    /// In order.
    pub points: Vec<Point>,
}

/// How points are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStyle {
    /// By a line.
    Solid,
    /// By dashes.
    Dashed,
    /// By long dashes.
    LongDashed,
    /// By dots.
    Dotted,
    /// Not at all.
    None,
}

impl LineStyle {
    /// Lengths of dashes and gaps, where there are any.
    pub(super) fn pattern(self) -> Option<(f64, f64)> {
        match self {
            LineStyle::Solid | LineStyle::None => None,
            LineStyle::Dashed => Some((10.0, 7.0)),
            LineStyle::LongDashed => Some((20.0, 6.0)),
            LineStyle::Dotted => Some((4.0, 6.0)),
        }
    }
}

/// A point, with the length of its error bar up and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Along the x axis.
    pub x: f64,
    /// Along the y axis.
    pub y: f64,
    /// Half the length of the error bar, if there is one.
    pub error: Option<f64>,
}

/// A figure with everything in its place.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    figure: &'a LineFigure,
    grid: PanelGrid,
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(figure: &'a LineFigure) -> Result<Self, PlotError> {
        let points = figure.panels.iter().flat_map(|panel| &panel.series);
        if points.map(|series| series.points.len()).sum::<usize>() == 0 {
            return Err(PlotError::NothingToDraw("there is no point".into()));
        }
        let mut columns = figure.columns.clamp(1, 4).min(figure.panels.len());
        while columns > 1 && figure.panels.iter().any(|panel| panel.is_crowded(columns)) {
            columns -= 1;
        }
        let height = match columns {
            1 => 640.0,
            2 => 500.0,
            _ => 400.0,
        };
        let titles = figure.panels.iter().map(|panel| Title {
            name: panel.title.clone(),
            remark: panel.remark.clone(),
        });
        let titles: Vec<Title> = titles.collect();
        let grid = PanelGrid::new(&titles, columns, height, |width| {
            Legend::new(entries(figure), width)
        });
        Ok(Layout { figure, grid })
    }
}

fn entries(figure: &LineFigure) -> Vec<(Key, String)> {
    let mut entries: Vec<(Key, String)> = Vec::new();
    for series in figure.panels.iter().flat_map(|panel| &panel.series) {
        let entry = (
            Key::Series(series_colour(series.colour), series.line, series.mark),
            series.name.clone(),
        );
        if !series.name.is_empty() && !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

impl LineAxis {
    fn scale(&self) -> Scale {
        match self {
            LineAxis::Numbers(_, (low, high)) => Scale::new(*low, *high),
            LineAxis::Logarithm(_, (low, high)) => Scale::new(low.log10(), high.log10()),
            LineAxis::Labels(_, labels) => Scale::new(-0.5, labels.len() as f64 - 0.5),
        }
    }

    fn value(&self, x: f64) -> f64 {
        match self {
            LineAxis::Logarithm(..) => x.log10(),
            _ => x,
        }
    }

    fn name(&self) -> &str {
        match self {
            LineAxis::Numbers(name, _)
            | LineAxis::Logarithm(name, _)
            | LineAxis::Labels(name, _) => name,
        }
    }

    fn ticks(&self, axes: &Axes) -> Vec<Tick> {
        match self {
            // Whole numbers, where several lie within.
            LineAxis::Numbers(_, (low, high)) => axes.x_ticks(high - low >= 2.0),
            LineAxis::Logarithm(_, limits) => logarithmic_ticks(*limits, MOST_TICKS),
            LineAxis::Labels(_, labels) => {
                // No wider than what belongs to each.
                let room = axes.frame.width() / labels.len().max(1) as f64 - 10.0;
                let labels = labels.iter().enumerate();
                let ticks = labels.map(|(index, label)| Tick {
                    value: index as f64,
                    label: Type::TICK.shorten(label, room),
                });
                ticks.collect()
            }
        }
    }
}

impl LinePanel {
    /// Series whose marks stand side by side at labels.
    fn marked(&self) -> impl Iterator<Item = &Series> {
        let drawn = |series: &&Series| series.mark.is_some() && !series.points.is_empty();
        self.series.iter().filter(drawn)
    }

    /// How far series stand apart at a label of an axis so wide; 0 without labels.
    fn side_by_side(&self, width: f64) -> f64 {
        match &self.x {
            LineAxis::Labels(_, labels) => {
                let slot = width / labels.len().max(1) as f64;
                (0.86 * slot / self.marked().count().max(1) as f64).min(SIDE_BY_SIDE)
            }
            _ => 0.0,
        }
    }

    /// Whether marks at a label would cover each other with so many panels side by side.
    fn is_crowded(&self, columns: usize) -> bool {
        let labels = matches!(self.x, LineAxis::Labels(..));
        labels && self.side_by_side(panel_width(columns)) < APART
    }
}

/// A panel with its axes.
struct Panel<'a> {
    panel: &'a LinePanel,
    place: &'a PanelPlace,
    axes: Axes,
}

impl Panel<'_> {
    fn draw<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        y_name: &str,
    ) -> Result<(), PlotError> {
        self.place.draw_title(canvas)?;
        let ticks = self.panel.x.ticks(&self.axes);
        let y_ticks = self.axes.y.ticks(6, false);
        self.axes.grid(canvas, &self.between_labels(), &y_ticks)?;
        self.axes.edges(canvas)?;
        let placed = self.placed();
        for series in &placed {
            self.draw_error_bars(canvas, series)?;
        }
        // What has gaps comes on top, so that lines that coincide are all seen.
        for style in [
            LineStyle::Solid,
            LineStyle::LongDashed,
            LineStyle::Dashed,
            LineStyle::Dotted,
        ] {
            for series in placed.iter().filter(|placed| placed.series.line == style) {
                draw_line(canvas, &series.path(), series.series)?;
            }
        }
        // On top of all lines.
        for series in &placed {
            series.draw_marks(canvas)?;
        }
        self.axes.x_labels(canvas, &ticks, self.panel.x.name())?;
        if self.place.leftmost {
            self.axes.y_labels(canvas, &y_ticks)?;
            let name = [(y_name.to_string(), Type::LABEL)];
            self.axes.y_name(canvas, &name, Y_NAME_LEFT)?;
        }
        Ok(())
    }

    /// A bar from one value to another; an end that lies outside the panel has no cap.
    fn error_bar<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        x: f64,
        (low, high): (f64, f64),
        colour: RGBColor,
    ) -> Result<(), PlotError> {
        let [bottom, top] = [low, high].map(|value| self.axes.y_place(value));
        canvas.line((x, top), (x, bottom), colour, 2.0)?;
        for (value, y) in [(low, bottom), (high, top)] {
            if self.axes.y.has(value) {
                canvas.line((x - 6.0, y), (x + 6.0, y), colour, 2.0)?;
            }
        }
        Ok(())
    }

    /// Ends of what belongs to each label.
    fn between_labels(&self) -> Vec<Tick> {
        let labels = match &self.panel.x {
            LineAxis::Labels(_, labels) => labels.len(),
            _ => 0,
        };
        let ends = (1..labels).map(|index| Tick {
            value: index as f64 - 0.5,
            label: String::new(),
        });
        ends.collect()
    }

    /// Where the points of each series lie.
    fn placed(&self) -> Vec<Placed<'_>> {
        let apart = self.panel.side_by_side(self.axes.frame.width());
        let side_by_side = self.panel.marked().count();
        let mut marked = 0;
        let mut taken: Vec<(f64, f64)> = Vec::new();
        let mut placed = Vec::new();
        for series in &self.panel.series {
            let mut aside = 0.0;
            let mut first_mark = 0;
            if series.mark.is_some() && !series.points.is_empty() {
                aside = (marked as f64 - (side_by_side - 1) as f64 / 2.0) * apart;
                first_mark = marked;
                marked += 1;
            }
            let finite = |point: &&Point| point.x.is_finite() && point.y.is_finite();
            let points = series.points.iter().filter(finite).map(|point| {
                let x = self.axes.x_place(self.panel.x.value(point.x)) + aside;
                PlacedPoint {
                    place: (x, self.axes.y_place(point.y)),
                    mark: None,
                    point: *point,
                }
            });
            let mut points: Vec<PlacedPoint> = points.collect();
            // Marks of long series are staggered, so that lines that coincide are both seen; without a line each is.
            let every = match series.line {
                LineStyle::None => 1,
                _ => points.len().div_ceil(MOST_MARKS).max(1),
            };
            let first_mark = first_mark * every / side_by_side.max(1);
            if series.mark.is_some() {
                for point in points.iter_mut().skip(first_mark).step_by(every) {
                    let place = self.free_place(point.place, &taken);
                    taken.push(place);
                    point.mark = Some(place);
                }
            }
            placed.push(Placed { series, points });
        }
        placed
    }

    fn draw_error_bars<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        placed: &Placed<'_>,
    ) -> Result<(), PlotError> {
        let colour = series_colour(placed.series.colour);
        for placed in &placed.points {
            let point = placed.point;
            let error = point.error.filter(|e| e.is_finite() && *e > 0.0);
            if let Some(error) = error {
                // Where the mark is, which may have been moved.
                let (x, _) = placed.mark.unwrap_or(placed.place);
                self.error_bar(canvas, x, (point.y - error, point.y + error), colour)?;
            }
        }
        Ok(())
    }

    /// The nearest place beside this one, right or left, at which a mark hides none of those `taken`; where there is
    /// none near enough, the one that hides least.
    fn free_place(&self, (x, y): (f64, f64), taken: &[(f64, f64)]) -> (f64, f64) {
        let frame = self.axes.frame;
        let within = frame.left - MARK_SIZE..=frame.right + MARK_SIZE;
        let apart = |place: &(f64, f64)| {
            let others = taken.iter();
            let apart = others.map(|other| (place.0 - other.0).hypot(place.1 - other.1));
            apart.fold(f64::INFINITY, f64::min)
        };
        let steps = (1..).map(|step| f64::from(step) * APART / 2.0);
        let most = self
            .panel
            .most_aside
            .map_or(frame.width(), |marks| marks * APART);
        let aside = steps.take_while(|step| *step <= most);
        let aside = aside.flat_map(|step| [step, -step]);
        let places = std::iter::once(0.0)
            .chain(aside)
            .map(|aside| (x + aside, y));
        let places: Vec<_> = places.filter(|place| within.contains(&place.0)).collect();
        let free = places.iter().find(|place| apart(place) >= APART);
        let least = || {
            places
                .iter()
                .rev()
                .max_by(|a, b| apart(a).total_cmp(&apart(b)))
        };
        *free.or_else(least).unwrap_or(&(x, y))
    }
}

/// A series with its points in pixels.
struct Placed<'a> {
    series: &'a Series,
    points: Vec<PlacedPoint>,
}

/// A point in pixels.
struct PlacedPoint {
    place: (f64, f64),
    /// Where its mark stands, if it has one.
    mark: Option<(f64, f64)>,
    point: Point,
}

impl Placed<'_> {
    fn path(&self) -> Vec<(f64, f64)> {
        self.points.iter().map(|point| point.place).collect()
    }

    fn draw_marks<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        let Some(mark) = self.series.mark else {
            return Ok(());
        };
        let colour = series_colour(self.series.colour);
        for place in self.points.iter().filter_map(|point| point.mark) {
            canvas.mark(place, MARK_SIZE, mark, colour)?;
        }
        Ok(())
    }
}

/// Joins points as a series wants it.
fn draw_line<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    path: &[(f64, f64)],
    series: &Series,
) -> Result<(), PlotError> {
    let colour = series_colour(series.colour);
    match (series.line, series.line.pattern()) {
        (LineStyle::None, _) => Ok(()),
        (_, None) => canvas.path(path, colour, 3.5),
        (_, Some(pattern)) => canvas.dashed_path(path, colour, 3.0, pattern),
    }
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        self.grid.size()
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        for (panel, place) in self.figure.panels.iter().zip(&self.grid.panels) {
            let axes = Axes {
                frame: place.frame,
                x: panel.x.scale(),
                y: Scale::new(self.figure.y_limits.0, self.figure.y_limits.1),
            };
            Panel { panel, place, axes }.draw(canvas, &self.figure.y_name)?;
        }
        self.grid.draw_legend(canvas)
    }
}

/// What a legend shows of a series: a piece of its line with its mark.
pub(super) fn draw_key<B: DrawingBackend>(
    canvas: &mut Canvas<'_, B>,
    (from, to): ((f64, f64), (f64, f64)),
    (colour, line, mark): (RGBColor, LineStyle, Option<Mark>),
) -> Result<(), PlotError> {
    match (line, line.pattern()) {
        (LineStyle::None, _) => {}
        (_, None) => canvas.line(from, to, colour, 3.5)?,
        (_, Some(pattern)) => canvas.dashed_path(&[from, to], colour, 3.0, pattern)?,
    }
    match mark {
        Some(mark) => {
            let middle = ((from.0 + to.0) / 2.0, from.1);
            canvas.mark(middle, MARK_SIZE, mark, colour)
        }
        None => Ok(()),
    }
}
