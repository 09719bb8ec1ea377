//! How active layers are.

use super::{Content, FRONT, LR, NAIVE, NATIVE, Section, SuiteFigure, point};
use crate::continual::Strategy;
use crate::replay::Codec;
use crate::report::plot::{LineAxis, LineFigure, LinePanel, LineStyle, Mark, Point, Series};
use crate::report::suite::collected::{Collected, Spread};
use crate::suite::{CellResult, ScenarioKind};

/// Spiking activity of each layer.
pub(super) fn activity(collected: &Collected, sections: &[Section<'_>]) -> Option<SuiteFigure> {
    let mut highest: f64 = 0.0;
    let panels = sections.iter().filter_map(|section| {
        let mut series = vec![Series {
            name: "pre-trained".into(),
            colour: FRONT,
            line: LineStyle::Dashed,
            mark: Some(Mark::Ring),
            points: pretrained_activity(collected, section),
        }];
        let rows = section.rows.iter().filter(|row| {
            section.compares(row) && matches!(row.key.codec, None | Some(Codec::Raw))
        });
        for row in rows {
            let (name, colour) = match (row.key.strategy, row.key.lr_index) {
                (Strategy::Naive, _) => ("naive".to_string(), NAIVE),
                (Strategy::Native, _) => ("native".to_string(), NATIVE),
                // As dark as the pre-trained network would be confusing.
                (Strategy::Joint, _) => ("joint".to_string(), 4),
                (Strategy::Latent, Some(index @ (1 | 2))) => {
                    (format!("latent, LR {index}, 1:1"), LR[index])
                }
                _ => continue,
            };
            let layers = row
                .cells
                .iter()
                .map(|cell| cell.activity.len())
                .max()
                .unwrap_or(0);
            let points = (0..layers).filter_map(|layer| {
                let of = |cell: &CellResult| cell.activity.get(layer).copied();
                point(layer as f64, row, |cell| of(cell).unwrap_or(f64::NAN))
            });
            series.push(Series {
                name,
                colour,
                line: LineStyle::Solid,
                mark: Some(Mark::Circle),
                points: points.collect(),
            });
        }
        let points = series.iter().flat_map(|series| &series.points);
        highest = points
            .map(|point| point.y + point.error.unwrap_or(0.0))
            .fold(highest, f64::max);
        let layers = series.iter().map(|series| series.points.len()).max()?;
        let labels = (0..layers).map(|layer| match layer {
            0 => "input".to_string(),
            layer => format!("layer {layer}"),
        });
        Some(LinePanel {
            title: section.title(),
            remark: String::new(),
            x: LineAxis::Labels("from the input upwards".into(), labels.collect()),
            series,
        })
    });
    let panels: Vec<LinePanel> = panels.collect();
    (!panels.is_empty()).then(|| SuiteFigure {
        name: "spiking-activity".into(),
        caption:
            "Percent of all cells (time steps × channels or neurons) with an event or a spike, on \
                  test samples, before and after learning; latent replay without compression at LR index 1 and \
                  2. Bars are standard deviations over seeds."
                .into(),
        content: Content::Lines(LineFigure {
            y_name: "active cells (%)".into(),
            y_limits: (0.0, highest * 1.05),
            columns: 3,
            panels,
        }),
    })
}

fn pretrained_activity(collected: &Collected, section: &Section<'_>) -> Vec<Point> {
    let here = collected.groups.iter().filter(|(group, _)| {
        group.id.protocol == section.protocol
            && ScenarioKind::of(group.id.scenario) == section.scenario
    });
    let networks: Vec<_> = here
        .filter_map(|(group, results)| Some((group.id.seed, results.pretrained.as_ref()?)))
        .collect();
    let layers = networks
        .iter()
        .map(|(_, network)| network.activity.len())
        .max()
        .unwrap_or(0);
    let points = (0..layers).filter_map(|layer| {
        let values = networks.iter();
        let values =
            values.filter_map(|(seed, network)| Some((*seed, *network.activity.get(layer)?)));
        let spread = Spread::of(values)?;
        Some(Point {
            x: layer as f64,
            y: spread.mean * 1e2,
            error: spread.deviation.map(|deviation| deviation * 1e2),
        })
    });
    points.collect()
}
