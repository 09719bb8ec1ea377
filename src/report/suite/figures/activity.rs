//! How active layers are.

use super::looks::{CodecMarks, PRETRAINED, lr_colour, strategy_look};
use super::{Content, Figures, Section, SuiteFigure, left_out, point};
use crate::report::plot::{LineAxis, LineFigure, LinePanel, LineStyle, Mark, Point, Series};
use crate::report::suite::collected::{
    Collected, MethodRole, Row, ScenarioKind, Spread, codec_order,
};
use crate::suite::CellResult;

/// Spiking activity of each layer.
pub(super) fn activity(
    collected: &Collected,
    sections: &[Section<'_>],
    marks: &CodecMarks,
    figures: &mut Figures,
) {
    let mut highest: f64 = 0.0;
    let mut drawn: Vec<&Row<'_>> = Vec::new();
    let mut panels = Vec::new();
    for section in sections {
        let mut series = vec![Series {
            name: "pre-trained".into(),
            colour: PRETRAINED,
            line: LineStyle::Dashed,
            mark: Some(Mark::Ring),
            points: pretrained_activity(collected, section),
        }];
        // Of latent replay the codec that changes spikes least.
        let latent = section.strategy(MethodRole::Latent);
        let latent = latent.filter(|row| section.compares(row));
        let codec = latent
            .filter_map(|row| row.key.codec.as_ref())
            .min_by_key(|codec| codec_order(codec));
        let rows = section.rows.iter().copied().filter(|row| {
            let latent = row.key.role == MethodRole::Latent;
            section.compares(row) && (!latent || row.key.codec.as_ref() == codec)
        });
        for row in rows {
            let (colour, line) = match row.key.lr_index.filter(|_| row.key.codec.is_some()) {
                Some(index) => (lr_colour(index), LineStyle::Solid),
                None => strategy_look(row.key.role),
            };
            // Sections may have other codecs, which marks tell apart.
            let latent = row.key.role == MethodRole::Latent;
            let codec = row.key.codec.as_ref().filter(|_| latent);
            let mark = codec.and_then(|codec| marks.get(codec));
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
                name: row.key.name(),
                colour,
                line,
                mark: Some(mark.unwrap_or(Mark::Circle)),
                points: points.collect(),
            });
            drawn.push(row);
        }
        let points = series.iter().flat_map(|series| &series.points);
        highest = points
            .map(|point| point.y + point.error.unwrap_or(0.0))
            .fold(highest, f64::max);
        let layers = series.iter().map(|series| series.points.len()).max();
        let labels = (0..layers.unwrap_or(0)).map(|layer| match layer {
            0 => "input".to_string(),
            layer => format!("layer {layer}"),
        });
        panels.push(LinePanel {
            most_aside: None,
            title: section.title(),
            remark: section.tested(&section.rows),
            x: LineAxis::Labels("from the input upwards".into(), labels.collect()),
            series,
        });
    }
    panels.retain(|panel| panel.series.iter().any(|series| !series.points.is_empty()));
    if panels.is_empty() {
        return;
    }
    let all = sections
        .iter()
        .flat_map(|section| section.rows.iter().copied());
    figures.add(SuiteFigure {
        name: "spiking-activity".into(),
        caption: format!(
            "Percent of all cells (time steps × channels or neurons) with an event or a spike, on test \
             samples, before and after learning; of latent replay the least compressed codec. Bars are \
             standard deviations over seeds; marks of one layer stand side by side.{}",
            left_out(all, &drawn)
        ),
        content: Content::Lines(LineFigure {
            y_name: "active cells (%)".into(),
            y_limits: (0.0, highest * 1.05),
            columns: 3,
            panels,
        }),
    });
}

fn pretrained_activity(collected: &Collected, section: &Section<'_>) -> Vec<Point> {
    let here = collected.groups.iter().filter(|(group, _)| {
        group.id.protocol == section.protocol
            && ScenarioKind::of(&group.id.scenario) == section.scenario
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
