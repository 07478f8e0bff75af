//! Puts the parts of a list together: `raftlab zoo --job-index` and `raftlab grade --job-index`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::{files, unusable};
use crate::cli::exit::{Status, Trouble};
use crate::cli::output;
use crate::cli::shard::{EndLine, Part, PartLine, Row};
use crate::cli::table::{csv_field, finish, plain};

/// The parts of one list.
#[derive(Debug)]
struct Parts {
    /// The first part, with its file.
    first: (PathBuf, Part),
    /// The rows of complete files, by name.
    rows: BTreeMap<String, Row>,
    /// The parts that are complete.
    complete: BTreeSet<u64>,
}

/// Whether the file begins like a part of a list.
pub(super) fn is_part(path: &Path) -> bool {
    // The reports of campaigns are too large to be read as a whole.
    let Ok(file) = fs::File::open(path) else { return false };
    let first = files::line(&mut BufReader::new(file), path, 1);
    matches!(first, Ok(Some(line)) if serde_json::from_slice::<PartLine>(&line).is_ok())
}

/// Shows the rows of all parts, and what is missing; writes the table to `csv`.
pub(super) fn merge(paths: &[PathBuf], csv: Option<&Path>) -> Result<Status, Trouble> {
    if let Some(path) = csv.filter(|path| path.extension().is_none_or(|it| it != "csv")) {
        let path = path.display();
        return Err(Trouble::Input(format!(
            "{path}: the rows of a list are a table; give --report a file that ends in .csv"
        )));
    }
    let parts = Parts::read(paths)?;
    let list = &parts.first.1.list;
    let rows: Vec<&Row> = list.names.iter().filter_map(|name| parts.rows.get(name)).collect();
    let mut table = plain(list.columns.iter().map(String::as_str));
    table.add_rows(rows.iter().map(|row| &row.cells));
    let mut text = finish(table, 0..0);
    text.push_str(&parts.summary(&rows));
    output::print(&text)?;
    if let Some(path) = csv {
        let line = |cells: &[String]| cells.iter().map(|it| csv_field(it)).collect::<Vec<_>>();
        let lines = std::iter::once(&list.columns).chain(rows.iter().map(|row| &row.cells));
        let text: String = lines.map(|cells| line(cells).join(",") + "\n").collect();
        fs::write(path, text).map_err(|error| {
            Trouble::Machine(format!("cannot write {}: {error}; make room", path.display()))
        })?;
    }
    Ok(match (rows.len() == list.names.len(), rows.iter().all(|row| row.ok)) {
        (false, _) => Status::Incomplete,
        (true, false) => Status::Failed,
        (true, true) => Status::Passed,
    })
}

impl Parts {
    fn read(paths: &[PathBuf]) -> Result<Parts, Trouble> {
        let mut parts: Option<Parts> = None;
        for path in paths {
            let text =
                fs::read_to_string(path).map_err(|error| files::cannot_read(path, &error))?;
            let (part, rows) = read(path, &text)?;
            let known = parts.get_or_insert_with(|| Parts {
                first: (path.clone(), part.clone()),
                rows: BTreeMap::new(),
                complete: BTreeSet::new(),
            });
            known.same_list(path, &part)?;
            let Some(rows) = rows else { continue };
            // A part that was done twice counts once.
            if known.complete.insert(part.job_index) {
                known.rows.extend(rows.into_iter().map(|row| (row.name.clone(), row)));
            }
        }
        parts.ok_or_else(|| Trouble::Input("there is no file to merge".to_string()))
    }

    /// Refuses a part of another list.
    fn same_list(&self, path: &Path, part: &Part) -> Result<(), Trouble> {
        let (first, known) = &self.first;
        let fields = |part: &Part| {
            [
                format!("raftlab {}", part.list.raftlab),
                format!("the command {}", part.list.command),
                part.list.settings.clone(),
                format!("{} parts", part.job_count),
                format!("{} names: {}", part.list.names.len(), part.list.names.join(" ")),
                format!("the columns {}", part.list.columns.join(" ")),
            ]
        };
        let different = fields(known).into_iter().zip(fields(part)).find(|(one, two)| one != two);
        let Some((one, two)) = different else { return Ok(()) };
        let (first, path) = (first.display(), path.display());
        Err(Trouble::Input(format!(
            "{first} and {path} are not of the same list:\n  {one}\n  {two}\nmerge the files of one"
        )))
    }

    /// How many rows there are, and which parts are missing.
    fn summary(&self, rows: &[&Row]) -> String {
        let (_, Part { list, job_count, .. }) = &self.first;
        let wrong = rows.iter().filter(|row| !row.ok).count();
        let mut text = format!("\n{} of {} rows", rows.len(), list.names.len());
        if wrong > 0 {
            text.push_str(&format!(", {wrong} not as they should be"));
        }
        text.push('\n');
        // A list that is shorter than the number of parts leaves the last ones empty.
        let parts = job_count.get().min(list.names.len() as u64);
        for index in (0..parts).filter(|index| !self.complete.contains(index)) {
            text.push_str(&format!(
                "missing: part {index}; do it again: raftlab {} … --job-index {index} --job-count \
                 {job_count}\n",
                list.command
            ));
        }
        text
    }
}

/// The part that a file has, and its rows; no rows if the file has no end.
fn read(path: &Path, text: &str) -> Result<(Part, Option<Vec<Row>>), Trouble> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let PartLine { part } = serde_json::from_str(first)
        .map_err(|error| unusable(path, 1, &format!("this is no part of a list ({error})")))?;
    let mut rows: Vec<Row> = Vec::new();
    for (at, line) in lines.enumerate() {
        if let Ok(end) = serde_json::from_str::<EndLine>(line) {
            return Ok((part, (end.rows == rows.len()).then_some(rows)));
        }
        let at = at as u64 + 2;
        let row: Row = match serde_json::from_str(line) {
            Ok(row) => row,
            // The last line of a file that was cut.
            Err(_) if !text.ends_with('\n') => return Ok((part, None)),
            Err(error) => return Err(unusable(path, at, &format!("this is no row ({error})"))),
        };
        let place = part.list.names.iter().position(|name| *name == row.name);
        let is_own = place.is_some_and(|it| it as u64 % part.job_count.get() == part.job_index);
        if !is_own || row.cells.len() != part.list.columns.len() {
            return Err(unusable(path, at, "this row is not of this part"));
        }
        rows.push(row);
    }
    Ok((part, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::shard::{List, PartArgs};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        part: PartArgs,
    }

    fn list(names: &[&str]) -> List {
        let names = names.iter().map(ToString::to_string);
        List::new("grade", "policy a".to_string(), &["name", "points"], names)
    }

    /// Does part `index` of two, as a machine would, and returns its file.
    fn part(folder: &Path, index: u64, list: &List, ok: bool) -> PathBuf {
        let file = folder.join(format!("part-{index}.jsonl"));
        let (index, report) = (index.to_string(), file.display().to_string());
        let words = ["x", "--job-index", &index, "--job-count", "2", "--report", &report];
        let args = Line::parse_from(words).part;
        let mut written = args.begin(list.clone()).unwrap().unwrap();
        for (_, name) in list.names.iter().enumerate().filter(|(place, _)| args.has(*place)) {
            let cells = vec![name.clone(), "1,5".to_string()];
            written.row(&Row { name: name.clone(), ok, cells }).unwrap();
        }
        written.end().unwrap();
        file
    }

    #[test]
    fn all_parts_in_any_order_are_one_table() {
        let folder = tempfile::tempdir().unwrap();
        let list = list(&["a", "b", "c"]);
        let [one, two] = [0, 1].map(|index| part(folder.path(), index, &list, true));
        let csv = folder.path().join("all.csv");
        fs::write(&csv, "{\"plan\":1}\n").unwrap();
        assert!(is_part(&one) && !is_part(&csv), "the first line tells");
        let merged = merge(&[two.clone(), one, two], Some(&csv)).unwrap();
        assert_eq!(merged, Status::Passed);
        let text = fs::read_to_string(csv).unwrap();
        assert_eq!(text, "name,points\na,\"1,5\"\nb,\"1,5\"\nc,\"1,5\"\n");
    }

    #[test]
    fn a_missing_part_is_named_and_a_cut_file_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let list = list(&["a", "b", "c"]);
        let [one, two] = [0, 1].map(|index| part(folder.path(), index, &list, true));
        let text = fs::read_to_string(&two).unwrap();
        fs::write(&two, &text[..text.len() - 5]).unwrap();
        assert_eq!(merge(&[one.clone(), two.clone()], None).unwrap(), Status::Incomplete);
        let parts = Parts::read(&[one, two]).unwrap();
        let summary = parts.summary(&[]);
        assert!(summary.contains("missing: part 1; do it again: raftlab grade …"), "{summary}");
        assert!(!summary.contains("part 0"), "{summary}");
    }

    #[test]
    fn a_row_that_is_not_as_it_should_be_fails_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let list = list(&["a", "b"]);
        let files =
            [(0, true), (1, false)].map(|(index, ok)| part(folder.path(), index, &list, ok));
        assert_eq!(merge(&files, None).unwrap(), Status::Failed);
    }

    #[test]
    fn parts_of_two_lists_and_foreign_rows_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let one = part(folder.path(), 0, &list(&["a", "b"]), true);
        let two = part(other.path(), 1, &list(&["a", "c"]), true);
        let refused = merge(&[one.clone(), two], None).unwrap_err().to_string();
        assert!(refused.contains("2 names: a b\n  2 names: a c"), "{refused}");
        let text = fs::read_to_string(&one).unwrap().replace("\"name\":\"a\"", "\"name\":\"b\"");
        fs::write(&one, text).unwrap();
        let refused = merge(&[one], None).unwrap_err().to_string();
        assert!(refused.contains("line 2") && refused.contains("not of this part"), "{refused}");
    }
}
