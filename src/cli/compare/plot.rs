//! Plots of a comparison, as SVG to put into a page. Their text has the colour of the page's text.

use std::error::Error;

use plotters::prelude::*;

use super::figures::{Figures, MetricFigures, RowFigures};

/// A placeholder for the colour of the page's text, which the reader's settings decide.
const INK: RGBColor = RGBColor(1, 2, 3);
/// [`INK`] as the crate `plotters` writes it into the SVG.
const INK_IN_SVG: &str = "#010203";

/// The colours of designs, distinct on light and dark backgrounds and for colour-blind readers.
const COLOURS: [RGBColor; 3] =
    [RGBColor(45, 125, 210), RGBColor(224, 112, 20), RGBColor(26, 150, 110)];

/// The marks of designs, for print without colour.
pub(super) const MARKS: [&str; 3] = ["●", "▲", "✕"];

/// The width of a plot in pixels, which the page scales to its column.
const WIDTH: u32 = 560;

/// The colour of the design in `slot`, as CSS writes it.
pub(super) fn colour(slot: usize) -> String {
    let RGBColor(r, g, b) = COLOURS[slot % COLOURS.len()];
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// Plots a metric over the loads at which it was measured, on a logarithmic axis.
pub(super) fn lines(figures: &Figures, metric: &MetricFigures) -> Result<String, Box<dyn Error>> {
    let medians = |design: &str| -> Vec<(f64, f64)> {
        let median = |row: &RowFigures| Some((f64::from(row.at), row.figures.get(design)?.median));
        metric.rows.iter().filter_map(median).collect()
    };
    let points: Vec<_> = figures.designs.iter().flat_map(|design| medians(design)).collect();
    let most = points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let loads = metric.rows.iter().map(|row| f64::from(row.at));
    let (first, last) = (loads.clone().fold(f64::MAX, f64::min), loads.fold(1.0, f64::max));
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 280)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(34)
            .y_label_area_size(58)
            .build_cartesian_2d((first..last * 1.2).log_scale(), 0.0..most * 1.1)?;
        let ink = |size| ("sans-serif", size).into_font().color(&INK);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(INK.mix(0.15))
            .light_line_style(TRANSPARENT)
            .axis_style(INK.mix(0.6))
            .label_style(ink(14))
            .x_desc("commands in flight")
            .x_label_formatter(&|at| format!("{at:.0}"))
            .y_label_formatter(&|value| number(*value, most))
            .draw()?;
        for (slot, design) in figures.designs.iter().enumerate() {
            let style = COLOURS[slot % COLOURS.len()].stroke_width(2);
            let points = medians(design);
            chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            for point in points {
                let mark = EmptyElement::at(point);
                chart.plotting_area().draw(&(mark + marked(slot)))?;
            }
        }
        root.present()?;
    }
    Ok(inked(&svg))
}

/// Plots rows under each other: for each design a mark at its median, on a line from its minimum
/// to its maximum.
pub(super) fn ranges(
    figures: &Figures,
    rows: &[&RowFigures],
    unit: &str,
) -> Result<String, Box<dyn Error>> {
    let most = rows.iter().flat_map(|row| row.figures.values()).map(|it| it.most);
    let most = most.fold(0.0, f64::max);
    let (row_count, height) = (rows.len() as f64, 60 + 54 * u32::try_from(rows.len())?);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(34)
            .build_cartesian_2d(0.0..most * 1.05, -0.5..row_count - 0.5)?;
        let ink = |size| ("sans-serif", size).into_font().color(&INK);
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .bold_line_style(INK.mix(0.15))
            .light_line_style(TRANSPARENT)
            .axis_style(INK.mix(0.6))
            .label_style(ink(14))
            .x_label_formatter(&|value| number(*value, most))
            .x_desc(unit)
            .draw()?;
        for (place, row) in rows.iter().rev().enumerate() {
            // The row's name is above its marks: there it has room on any screen.
            let middle = place as f64;
            let name = Text::new(row.name.clone(), (0.0, middle + 0.5), ink(14));
            chart.plotting_area().draw(&name)?;
            for (slot, design) in figures.designs.iter().enumerate() {
                let Some(figure) = row.figures.get(design) else { continue };
                let y = middle - 0.18 * slot as f64;
                let line = vec![(figure.least, y), (figure.most, y)];
                let style = COLOURS[slot % COLOURS.len()].stroke_width(2);
                chart.plotting_area().draw(&PathElement::new(line, style))?;
                let mark = EmptyElement::at((figure.median, y));
                chart.plotting_area().draw(&(mark + marked(slot)))?;
            }
        }
        root.present()?;
    }
    Ok(inked(&svg))
}

/// The mark of the design in `slot`, around a point.
fn marked<'a>(slot: usize) -> DynElement<'static, SVGBackend<'a>, (i32, i32)> {
    let style = COLOURS[slot % COLOURS.len()];
    match slot % MARKS.len() {
        0 => Circle::new((0, 0), 4, style.filled()).into_dyn(),
        1 => TriangleMarker::new((0, 0), 6, style.filled()).into_dyn(),
        _ => Cross::new((0, 0), 4, style.stroke_width(2)).into_dyn(),
    }
}

/// The label of `value` on an axis that ends at `most`.
fn number(value: f64, most: f64) -> String {
    let digits = if most >= 10.0 { 0 } else { 1 };
    format!("{value:.digits$}")
}

/// Adapts an SVG to be part of a page: in the colour and the font of its text, and without the
/// name space that only a separate file needs.
fn inked(svg: &str) -> String {
    svg.replace(&format!("\"{INK_IN_SVG}\""), "\"currentColor\"")
        .replace(" xmlns=\"http://www.w3.org/2000/svg\"", "")
        .replace("font-family=\"sans-serif\"", "")
}
