//! The comparison as one HTML page, which needs no other file, no network and no script.

use std::error::Error;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::{Figures, MetricFigures, RowFigures};
use super::plot;

/// The style sheet: for light and dark backgrounds and for print.
const STYLE: &str = include_str!("page.css");

/// Plots of ranges: the heading, the metrics of the plot, and the unit that all of them have.
const RANGES: &[(&str, &[&str], &str)] = &[
    ("time, in round trips", &["commit_latency", "apply_latency"], "round trips"),
    ("elections", &["election_ms", "failover_ms", "failover_commit_ms"], "ms"),
    ("repair", &["heal_follower_ms", "heal_leader_ms", "heal_all_ms"], "ms"),
    ("repair", &["snapshot_ms", "lost_snapshot_ms", "silent_snapshot_ms"], "ms"),
    ("repair", &["append_ms", "lost_append_ms", "silent_append_ms", "lost_answer_ms"], "ms"),
];

/// The metrics that are plotted over the load.
const LINES: &[&str] = &["requests", "bytes", "syncs", "cpu"];

/// The whole page.
pub(super) fn of(figures: &Figures) -> Result<String, Box<dyn Error>> {
    let groups = figures.groups().map(|(heading, metrics)| group(figures, heading, metrics));
    let groups: Vec<Markup> = groups.collect::<Result<_, _>>()?;
    let designs = figures.designs.join(",");
    let (first, runs) = (figures.seed, figures.runs);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Raft, designed twice" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Raft, designed twice" }
                p {
                    "The same protocol behind the same interface, in the same experiments: three \
                     servers unless stated otherwise, a network on which every message takes the \
                     same time, commands of 100 bytes, the same disk. A figure is the median of \
                     all runs, with the minimum and the maximum in brackets where they differ. "
                    (figures.remark())
                }
                p {
                    "All figures but CPU time, which depends on the machine, follow from the seeds: "
                    code { "raftlab compare --designs " (designs) " --seed " (first) " --runs " (runs) }
                    " gives the same figures again."
                }
                (legend(figures))
                @for group in groups { (group) }
            }
        }
    };
    Ok(page.into_string())
}

fn legend(figures: &Figures) -> Markup {
    html! {
        p.legend {
            @for (slot, design) in figures.designs.iter().enumerate() {
                span { b style={ "color:" (plot::colour(slot)) } { (plot::MARKS[slot % 3]) } " " (design) }
            }
        }
    }
}

fn group(
    figures: &Figures,
    heading: &str,
    metrics: &[MetricFigures],
) -> Result<Markup, Box<dyn Error>> {
    let mut plots = Vec::new();
    for metric in metrics.iter().filter(|metric| LINES.contains(&metric.id)) {
        let unit =
            if metric.unit.is_empty() { String::new() } else { format!(" [{}]", metric.unit) };
        let caption = format!("{} per command{unit}", metric.name);
        plots.push((caption, plot::lines(figures, metric)?));
    }
    for (_, ids, unit) in RANGES.iter().filter(|(group, ..)| *group == heading) {
        let wanted = metrics.iter().filter(|metric| ids.contains(&metric.id));
        let rows: Vec<&RowFigures> = wanted.flat_map(|metric| &metric.rows).collect();
        let caption = format!("{heading}: the median, on a line from the minimum to the maximum");
        plots.push((caption, plot::ranges(figures, &rows, unit)?));
    }
    Ok(html! {
        section {
            h2 { (heading) }
            div.wide { (table(figures, metrics)) }
            @if !plots.is_empty() {
                div.plots {
                    @for (caption, svg) in plots {
                        figure { (PreEscaped(svg)) figcaption { (caption) } }
                    }
                }
            }
            dl {
                @for metric in metrics {
                    div {
                        dt { (metric.name) }
                        dd { (metric.reason()) }
                    }
                }
            }
        }
    })
}

fn table(figures: &Figures, metrics: &[MetricFigures]) -> Markup {
    html! {
        table {
            thead { tr { th {} @for design in &figures.designs { th { (design) } } } }
            tbody {
                @for metric in metrics { @for row in &metric.rows {
                    tr {
                        th scope="row" {
                            (row.name)
                            @if !metric.unit.is_empty() { " [" (metric.unit) "]" }
                        }
                        @for design in &figures.designs {
                            td { (row.figures.get(design).map_or("–".into(), |it| it.shown(metric.digits))) }
                        }
                    }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use crate::compare::{Comparison, EXPERIMENTS};
    use crate::lab::DESIGNS;

    use super::*;

    fn page() -> String {
        let mut comparison = Comparison::new(DESIGNS.iter().map(|design| design.name).collect());
        for experiment in EXPERIMENTS {
            for (slot, design) in DESIGNS.iter().enumerate() {
                comparison.add(slot, &experiment.run(design, 1).unwrap());
            }
        }
        of(&Figures::new(&comparison, 1, NonZeroU64::MIN)).unwrap()
    }

    #[test]
    fn the_page_needs_nothing_from_outside() {
        let page = page();
        for outside in ["http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(outside), "the page has {outside}");
        }
    }

    #[test]
    fn every_group_and_design_is_on_the_page_and_every_plot_is_in_its_colours() {
        let page = page();
        assert_eq!(page.matches("<svg").count(), LINES.len() + RANGES.len());
        assert_eq!(page.matches("<h2>").count(), 6, "a heading per group");
        for design in DESIGNS {
            assert!(page.contains(design.name), "no {}", design.name);
        }
        assert!(page.contains("currentColor"), "axes have the colour of the text");
        assert!(!page.to_lowercase().contains("#010203"), "text in another colour");
        assert!(!page.contains("NaN"), "a point that cannot be plotted");
    }

    #[test]
    fn what_is_plotted_is_measured() {
        let metrics = crate::compare::METRICS;
        for id in LINES.iter().chain(RANGES.iter().flat_map(|(_, ids, _)| *ids)) {
            assert!(metrics.iter().any(|metric| metric.id == *id), "no metric {id}");
        }
    }
}
