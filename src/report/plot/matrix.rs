//! Matrices of percentages.
//!
//! In: matrices with names of rows and columns. Out: a figure with one heat map for each, numbers in
//! the cells, and a colour bar.

use ndarray::Array2;
use plotters::backend::DrawingBackend;

use super::PlotError;
use super::axes::{Axes, Frame, Scale};
use super::canvas::{Align, Canvas, Figure};
use super::heat_map::{BAR_WIDTH, NOTHING, Names, WIDEST_NAME, colour, draw_bar, outline};
use super::panels::{title_above, title_height};
use super::style::{INK, PAPER, TICK_SIZE, Type};

const GAP: f64 = 46.0;
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
    title: Vec<String>,
    frame: Frame,
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
        let cell = (620.0 / rows.max(columns) as f64).clamp(36.0, 92.0);
        let (side, height) = (cell * columns as f64, cell * rows as f64);
        let widest = |names: &mut dyn Iterator<Item = &String>| {
            let widths = names.map(|name| Type::TICK.width(name));
            widths.fold(0.0, f64::max).min(WIDEST_NAME)
        };
        let wide = widest(&mut figure.panels.iter().flat_map(|panel| &panel.row_names));
        let high = widest(&mut figure.panels.iter().flat_map(|panel| &panel.column_names));
        let level = high + 10.0 <= cell;
        let names = Names {
            width: wide,
            height: if level { TICK_SIZE } else { high },
            level,
        };
        let left = names.left();
        let titles = figure
            .panels
            .iter()
            .map(|panel| Type::TITLE.wrap(&panel.title, side + left - 30.0, 3));
        let titles: Vec<Vec<String>> = titles.collect();
        let lines = titles.iter().map(Vec::len).max().unwrap_or(1);
        let top = TOP + title_height(lines);
        let panels = figure.panels.iter().zip(titles).enumerate();
        let panels = panels.map(|(index, (panel, title))| {
            let left = left + index as f64 * (left + side + GAP);
            let (rows, columns) = panel.values.dim();
            let (right, bottom) = (left + cell * columns as f64, top + cell * rows as f64);
            Panel {
                panel,
                title,
                frame: Frame::new(left, top, right, bottom),
            }
        });
        let panels: Vec<Panel<'a>> = panels.collect();
        let right = panels.len() as f64 * (left + side + GAP);
        let bar = Axes {
            frame: Frame::new(right, top, right + BAR_WIDTH, top + height.max(240.0)),
            x: Scale::new(0.0, 1.0),
            y: Scale::new(0.0, 100.0),
        };
        Ok(Layout {
            figure,
            panels,
            size: (right + BAR_WIDTH + 120.0, bar.frame.bottom + names.below()),
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
        title_above(canvas, frame, &self.title, |_| Type::TITLE)?;
        let values = &self.panel.values;
        let cell = frame.height() / values.nrows() as f64;
        let size = (0.36 * cell).min(TICK_SIZE);
        for ((row, column), &value) in values.indexed_iter() {
            let left = frame.left + column as f64 * cell;
            let top = frame.top + row as f64 * cell;
            let area = Frame::new(left, top, left + cell, top + cell);
            if value.is_finite() {
                canvas.area(area, colour(value / 1e2))?;
                let ink = if value > 65.0 { PAPER } else { INK };
                let kind = Type::new(size, ink);
                canvas.text(&format!("{value:.0}"), area.centre(), Align::Middle, kind)?;
            } else {
                canvas.area(area, NOTHING)?;
            }
        }
        outline(canvas, frame)?;
        for (row, name) in self.panel.row_names.iter().enumerate() {
            let y = frame.top + (row as f64 + 0.5) * cell;
            let name = Type::TICK.shorten(name, WIDEST_NAME);
            names.draw_row(canvas, frame, y, &name)?;
        }
        for (column, name) in self.panel.column_names.iter().enumerate() {
            let x = frame.left + (column as f64 + 0.5) * cell;
            let name = Type::TICK.shorten(name, WIDEST_NAME);
            names.draw_column(canvas, frame, x, &name)?;
        }
        let axes = (figure.row_name.as_str(), figure.column_name.as_str());
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
