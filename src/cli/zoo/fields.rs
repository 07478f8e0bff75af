//! A patch's header: the lines before its first diff, with one field in each.
//!
//! The patches of `tests/zoo` and of `tests/fair` have different fields; the first is always `id`,
//! the file's name. The tests of both folders compile this file once more.

use std::path::Path;

/// The values of a header: those of the fields that it must have, and those of the fields that it
/// may have.
pub(crate) type Values<const N: usize, const M: usize> = ([String; N], [Option<String>; M]);

/// Returns the values of the fields `names` and `optional` of the patch in `file`, or what is wrong
/// with it.
pub(crate) fn read<const N: usize, const M: usize>(
    file: &Path,
    names: [&str; N],
    optional: [&str; M],
) -> Result<Values<N, M>, String> {
    let place = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{place}: {error}"))?;
    let values = parse(&text, names, optional).map_err(|what| format!("{place}: {what}"))?;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    if stem.as_ref() == values.0.first() {
        Ok(values)
    } else {
        Err(format!("{place}: `id` must be the file's name"))
    }
}

/// Returns the values of the fields `names`, which must begin a patch in that order, and of the
/// fields `optional`, which may follow in their order.
pub(crate) fn parse<const N: usize, const M: usize>(
    text: &str,
    names: [&str; N],
    optional: [&str; M],
) -> Result<Values<N, M>, String> {
    let mut lines = text.lines().take_while(|line| !line.starts_with("diff ")).peekable();
    let mut values = [const { String::new() }; N];
    for (name, slot) in names.into_iter().zip(&mut values) {
        let line = lines.next().unwrap_or_default();
        *slot = value(line, name)
            .ok_or_else(|| format!("expected a line `{name}: …` in its place, found {line:?}"))?;
    }
    let mut others = [const { None }; M];
    for (name, slot) in optional.into_iter().zip(&mut others) {
        *slot = lines.peek().and_then(|line| value(line, name));
        if slot.is_some() {
            lines.next();
        }
    }
    match lines.find(|line| !line.is_empty()) {
        Some(line) => Err(format!("{line:?} is no field of the header")),
        None => Ok((values, others)),
    }
}

/// The value that `line` gives to the field `name`.
fn value(line: &str, name: &str) -> Option<String> {
    let value = line.strip_prefix(name)?.strip_prefix(": ")?;
    (!value.trim().is_empty()).then(|| value.to_string())
}
