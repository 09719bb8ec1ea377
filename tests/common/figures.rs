//! Drawing a figure in both formats, and looking into its SVG.

use std::fs;
use std::path::Path;

use respike::report::plot::PlotError;

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
    let tags = svg.split("<text ").skip(1);
    let texts = tags.filter_map(|tag| tag.split_once('>')?.1.split_once("</text>"));
    texts.map(|(text, _)| text.trim().to_string()).collect()
}

#[track_caller]
pub fn says(svg: &str, expected: &[&str]) {
    let texts = texts(svg);
    for text in expected {
        assert!(
            texts.iter().any(|found| found == text),
            "`{text}` is not in {texts:?}"
        );
    }
}

/// Where texts begin and end lies inside the picture.
#[track_caller]
pub fn nothing_is_placed_outside(svg: &str) {
    let number = |tag: &str, name: &str| {
        let value = tag.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest);
        let value = value.and_then(|rest| rest.split('"').next());
        value.and_then(|value| value.parse::<f64>().ok())
    };
    let size = svg.split_once("viewBox=\"0 0 ").expect("a view box").1;
    let size = size.split('"').next().expect("its end");
    let (width, height) = size.split_once(' ').expect("two sides");
    let (width, height): (f64, f64) = (
        width.parse().expect("width"),
        height.parse().expect("height"),
    );
    for tag in svg
        .split('<')
        .filter(|tag| tag.starts_with("text") || tag.starts_with("rect"))
    {
        let x = number(tag, "x").expect("x");
        let y = number(tag, "y").expect("y");
        assert!(
            (0.0..=width).contains(&x) && (0.0..=height).contains(&y),
            "{tag}"
        );
        let right = x + number(tag, "width").unwrap_or(0.0);
        let bottom = y + number(tag, "height").unwrap_or(0.0);
        assert!(right <= width && bottom <= height, "{tag}");
    }
}
