//! A patch's header: the lines before its first diff, with one field in each.
//!
//! The patches of `tests/zoo` and of `tests/fair` have different fields; the first is always `id`,
//! the file's name.

use std::path::Path;

/// Returns the values of the fields `names` of the patch in `file`, or what is wrong with it.
pub(crate) fn read<const N: usize>(file: &Path, names: [&str; N]) -> Result<[String; N], String> {
    let place = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{place}: {error}"))?;
    let fields = parse(&text, names).map_err(|what| format!("{place}: {what}"))?;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    if stem.as_ref() == fields.first() {
        Ok(fields)
    } else {
        Err(format!("{place}: `id` must be the file's name"))
    }
}

/// Returns the values of the fields `names`, which must begin a patch in that order.
pub(crate) fn parse<const N: usize>(text: &str, names: [&str; N]) -> Result<[String; N], String> {
    let mut lines = text.lines().take_while(|line| !line.starts_with("diff "));
    let mut values = [const { String::new() }; N];
    for (name, slot) in names.into_iter().zip(&mut values) {
        let line = lines.next().unwrap_or_default();
        let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
        *slot = value
            .filter(|value| !value.trim().is_empty())
            .ok_or_else(|| format!("expected a line `{name}: …` in its place, found {line:?}"))?
            .to_string();
    }
    match lines.find(|line| !line.is_empty()) {
        Some(line) => Err(format!("{line:?} is no field of the header")),
        None => Ok(values),
    }
}
