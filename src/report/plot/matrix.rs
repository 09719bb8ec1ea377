//! Matrices of percentages.
//!
//! In: matrices with names of rows and columns. Out: a figure with one heat map for each, numbers in
//! the cells, and a colour bar.

use ndarray::Array2;
use plotters::backend::DrawingBackend;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::heat_map::{BAR_WIDTH, NOTHING, Names, WIDEST_NAME, borders, colour, draw_bar, outline};
use super::panels::{Title, WIDTH, title_above, title_height};
use super::style::{INK, PAPER, TICK_SIZE, Type};

const GAP: f64 = 46.0;
/// For the colour bar and its numbers.
const BAR_ROOM: f64 = BAR_WIDTH + 120.0;
/// Sides of cells: fewer panels stand side by side before cells become small.
const LARGEST_CELL: f64 = 92.0;
const SMALL_CELL: f64 = 46.0;
const SMALLEST_CELL: f64 = 36.0;
const TOP: f64 = 24.0;
/// More rows or columns than these cannot be told apart in a figure.
const MOST: usize = 100;

/// Matrices side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixFigure {
    /// What rows are.
    pub row_name: String,
    /// What columns are.
    pub column_name: String,
    /// What the colours mean, in percent.
    pub value_name: String,
    /// From left to right.
    pub panels: Vec<MatrixPanel>,
}

/// A matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixPanel {
    /// Above it.
    pub title: String,
    /// Below the title; may be empty.
    pub remark: String,
    /// By row.
    pub row_names: Vec<String>,
    /// By column.
    pub column_names: Vec<String>,
    /// Percentages; what is no number is left grey.
    pub values: Array2<f64>,
}

/// A figure with everything in its place.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    figure: &'a MatrixFigure,
    panels: Vec<Panel<'a>>,
    bar: Axes,
    names: Names,
    size: (f64, f64),
}

#[derive(Debug)]
struct Panel<'a> {
    panel: &'a MatrixPanel,
    title: Vec<(String, Type)>,
    frame: Frame,
    /// Whether its rows have their names beside them.
    named: bool,
}

impl<'a> Layout<'a> {
    /// Puts everything in its place.
    pub fn new(figure: &'a MatrixFigure) -> Result<Self, PlotError> {
        let nothing = |reason: &str| Err(PlotError::NothingToDraw(reason.to_string()));
        if figure.panels.is_empty() {
            return nothing("there is no matrix");
        }
        for panel in &figure.panels {
            let (rows, columns) = panel.values.dim();
            if rows == 0 || columns == 0 || rows > MOST || columns > MOST {
                return nothing("a matrix must have 1 to 100 rows and columns");
            }
            if (panel.row_names.len(), panel.column_names.len()) != (rows, columns) {
                return nothing("names and rows or columns of a matrix differ in number");
            }
        }
        let most = |of: fn(&MatrixPanel) -> usize| figure.panels.iter().map(of).max().unwrap_or(1);
        let (rows, columns) = (most(|p| p.values.nrows()), most(|p| p.values.ncols()));
        let widest = |names: &mut dyn Iterator<Item = &String>| {
            let widths = names.map(|name| Type::TICK.width(name));
            widths.fold(0.0, f64::max).min(WIDEST_NAME)
        };
        let wide = widest(&mut figure.panels.iter().flat_map(|panel| &panel.row_names));
        let high = widest(&mut figure.panels.iter().flat_map(|panel| &panel.column_names));
        // Rows that are the same everywhere are named once.
        let first = &figure.panels[0].row_names;
        let alike = figure.panels.iter().all(|panel| panel.row_names == *first);
        let names_of = |cell: f64| {
            let level = high + 10.0 <= cell;
            Names {
                width: wide,
                height: if level { TICK_SIZE } else { high },
                level,
            }
        };
        let left = names_of(0.0).left();
        let before = |column: usize| if alike && column > 0 { 0.0 } else { left };
        let cell_of = |side_by_side: usize| {
            let names: f64 = (0..side_by_side).map(before).sum();
            let room = WIDTH - BAR_ROOM - names - GAP * side_by_side as f64;
            (room / (side_by_side * columns) as f64).min(LARGEST_CELL)
        };
        let mut side_by_side = figure.panels.len().min(3);
        while side_by_side > 1 && cell_of(side_by_side) < SMALL_CELL {
            side_by_side -= 1;
        }
        let cell = cell_of(side_by_side).max(SMALLEST_CELL);
        let names = names_of(cell);
        let side = cell * columns as f64;
        let titles = figure.panels.iter().map(|panel| {
            let title = Title {
                name: panel.title.clone(),
                remark: panel.remark.clone(),
            };
            title.lines(side.max(240.0))
        });
        let titles: Vec<_> = titles.collect();
        let mut panels: Vec<Panel<'a>> = Vec::new();
        let (mut top, mut bar_top, mut right) = (TOP, TOP, 0.0_f64);
        let all: Vec<_> = figure.panels.iter().zip(titles).collect();
        for row in all.chunks(side_by_side) {
            let highest = row.iter().map(|(_, lines)| title_height(lines));
            top += highest.fold(0.0, f64::max);
            if panels.is_empty() {
                bar_top = top;
            }
            let mut x = 0.0;
            for (column, (panel, title)) in row.iter().enumerate() {
                x += before(column);
                let (rows, columns) = panel.values.dim();
                let (right, bottom) = (x + cell * columns as f64, top + cell * rows as f64);
                panels.push(Panel {
                    panel,
                    title: title.clone(),
                    frame: Frame::new(x, top, right, bottom),
                    named: column == 0 || !alike,
                });
                x += side + GAP;
            }
            right = right.max(x);
            top += cell * rows as f64 + names.below();
        }
        let bar = Axes {
            frame: Frame::new(
                right,
                bar_top,
                right + BAR_WIDTH,
                bar_top + (cell * rows as f64).max(240.0),
            ),
            x: Scale::new(0.0, 1.0),
            y: Scale::new(0.0, 100.0),
        };
        let height = top.max(bar.frame.bottom + 40.0);
        Ok(Layout {
            figure,
            panels,
            size: (WIDTH.max(right + BAR_ROOM), height),
            bar,
            names,
        })
    }
}

impl Panel<'_> {
    fn draw<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<'_, B>,
        figure: &MatrixFigure,
        names: Names,
    ) -> Result<(), PlotError> {
        let frame = self.frame;
        title_above(canvas, frame, &self.title)?;
        let values = &self.panel.values;
        let cell = frame.height() / values.nrows() as f64;
        let size = (0.4 * cell).min(TICK_SIZE);
        let mut written = Vec::new();
        for ((row, column), &value) in values.indexed_iter() {
            let left = frame.left + column as f64 * cell;
            let top = frame.top + row as f64 * cell;
            let area = Frame::new(left, top, left + cell, top + cell);
            let fill = if value.is_finite() {
                colour(value / 1e2)
            } else {
                NOTHING
            };
            canvas.area(area, fill)?;
            if value.is_finite() {
                let ink = if value > 65.0 { PAPER } else { INK };
                written.push((format!("{value:.0}"), area.centre(), Type::new(size, ink)));
            }
        }
        borders(canvas, frame, values.dim())?;
        for (number, middle, kind) in written {
            canvas.text(&number, middle, Align::Middle, kind)?;
        }
        outline(canvas, frame)?;
        let rows = self.panel.row_names.iter().enumerate();
        for (row, name) in rows.filter(|_| self.named) {
            let y = frame.top + (row as f64 + 0.5) * cell;
            let name = Type::TICK.shorten(name, WIDEST_NAME);
            names.draw_row(canvas, frame, y, (&name, Type::TICK))?;
        }
        for (column, name) in self.panel.column_names.iter().enumerate() {
            let x = frame.left + (column as f64 + 0.5) * cell;
            let name = Type::TICK.shorten(name, WIDEST_NAME);
            names.draw_column(canvas, frame, x, (&name, Type::TICK))?;
        }
        let rows = if self.named {
            figure.row_name.as_str()
        } else {
            ""
        };
        let axes = (rows, figure.column_name.as_str());
        names.draw_axes(canvas, frame, axes)
    }
}

impl Figure for Layout<'_> {
    fn size(&self) -> (f64, f64) {
        self.size
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), PlotError> {
        for panel in &self.panels {
            panel.draw(canvas, self.figure, self.names)?;
        }
        draw_bar(canvas, &self.bar, &self.figure.value_name)
    }
}
