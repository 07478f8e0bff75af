//! The folder that a comparison is written to.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, Write};
use std::path::{Path, PathBuf};

use super::figures::Figures;
use super::page;
use crate::cli::exit::Trouble;

/// The files of a comparison, opened before the first run, so that a bad path is an error at once.
pub(super) struct Folder {
    page: (PathBuf, File),
    data: (PathBuf, File),
}

impl Folder {
    /// Makes the folder and its files, unless they exist.
    pub(super) fn open(folder: &Path) -> Result<Folder, Trouble> {
        fs::create_dir_all(folder).map_err(|error| refused(folder, &error))?;
        let open = |name: &str| {
            let path = folder.join(name);
            // The results of an earlier comparison stay until this one is done.
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
            file.map_err(|error| refused(&path, &error)).map(|file| (path, file))
        };
        Ok(Folder { page: open("index.html")?, data: open("figures.json")? })
    }

    /// Writes `figures`, and returns a line that names the files.
    pub(super) fn write(self, figures: &Figures) -> Result<String, Trouble> {
        let plotted = |error| Trouble::Machine(format!("cannot draw the plots: {error}"));
        let page = page::of(figures).map_err(plotted)?;
        let Folder { page: (page_path, page_file), data: (data_path, data_file) } = self;
        replace(&page_path, page_file, &page)?;
        replace(&data_path, data_file, &figures.json())?;
        let (page, data) = (page_path.display(), data_path.display());
        Ok(format!("the page is {page}; the figures for scripts are {data}\n"))
    }
}

/// Replaces the contents of `file` by `text`.
fn replace(path: &Path, mut file: File, text: &str) -> Result<(), Trouble> {
    let written = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
    written
        .and_then(|()| file.flush())
        .map_err(|error| Trouble::Machine(format!("cannot write {}: {error}", path.display())))
}

fn refused(path: &Path, error: &Error) -> Trouble {
    let path = path.display();
    let advice = "give --out a folder that can be made and written to";
    Trouble::Input(format!("cannot write to {path}: {error}; {advice}"))
}
