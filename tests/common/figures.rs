//! Drawing a figure in both formats, and looking into its SVG.

use std::fs;
use std::path::Path;

use respike::report::plot::PlotError;

use super::svg::Picture;

pub type Draw<'a> = &'a dyn Fn(&Path) -> Result<(), PlotError>;

/// Draws both formats, checks them and gives back the PNG's bytes and the SVG's text.
pub fn both(draw: Draw<'_>) -> (Vec<u8>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let (png, svg) = (
        folder.path().join("plot.png"),
        folder.path().join("plot.SVG"),
    );
    draw(&png).expect("a PNG is drawn");
    draw(&svg).expect("an SVG is drawn");
    let png = fs::read(png).expect("the PNG is there");
    assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
    let svg = fs::read_to_string(svg).expect("the SVG is there");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    let left = fs::read_dir(folder.path())
        .expect("the folder is there")
        .count();
    assert_eq!(left, 2, "only the plots are left behind");
    (png, svg)
}

/// The texts of an SVG.
pub fn texts(svg: &str) -> Vec<String> {
    let picture = Picture::read(svg);
    picture.texts.into_iter().map(|text| text.words).collect()
}

#[track_caller]
pub fn says(svg: &str, expected: &[&str]) {
    Picture::read(svg).says(expected);
}

/// Every text and shape lies inside the picture, and no text runs into another.
#[track_caller]
pub fn nothing_is_placed_outside(svg: &str) {
    Picture::read(svg).is_sound();
}
